"""The stairs between the apps and the rooms: options, the run folder, the whole path, the closing table."""
