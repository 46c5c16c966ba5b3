"""The body model: data, skinning and the files it comes from."""
