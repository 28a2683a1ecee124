"""How the jobs run: settings, Table environment, sources, sinks, UDF life, submission."""
