"""The ports Clock and Parallel as Lambda gives them: time, deadline, threads."""
