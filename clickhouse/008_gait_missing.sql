-- Why single groups of gait features are missing.
ALTER TABLE brain.features_health ADD COLUMN IF NOT EXISTS missing Array(LowCardinality(String)) AFTER quality;
