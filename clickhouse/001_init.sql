-- The store of iot-brain. docs/storage.md says why each key, codec and lifetime is what it is.
CREATE DATABASE IF NOT EXISTS brain;
