"""Jobs: recordings that are transcribed later, whose clients come back for the result."""
