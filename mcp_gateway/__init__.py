"""Both directions of the Model Context Protocol, shared by all products. They register tools here; it imports none."""
