"""How each model in `models/` was made: from the data, by the same `udfs` as the jobs, bit for bit again."""
