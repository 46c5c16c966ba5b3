"""Characters as files of other programs: a temporary copy, and the writers of the formats."""
