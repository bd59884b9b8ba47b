"""The shell around one call's conversation."""
