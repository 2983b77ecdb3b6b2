"""The request desk: what people ask of support, by when, and how it is answered."""
