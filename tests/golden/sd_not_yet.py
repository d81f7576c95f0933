"""Reference cases that do not pass yet, each with its reason. A case that passes must leave this table."""

NOT_YET: dict[str, str] = {}
