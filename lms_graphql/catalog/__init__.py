"""What is taught: categories, courses, sections, lectures, and how they are found."""
