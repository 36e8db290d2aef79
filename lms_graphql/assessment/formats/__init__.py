"""File formats of questions: GIFT, Aiken, Moodle XML and our own JSON. Pure functions of texts."""
