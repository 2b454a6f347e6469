// Every target has a source; this one has nothing to say.
