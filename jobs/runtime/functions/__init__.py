"""The vectorised functions that the jobs call: Series in, Series or DataFrame out, one call for a whole batch.

Each wraps a pure function of `udfs/`; nothing is computed here. Workers import these modules, they never unpickle them.
"""
