"""The tested package behind *Embeddings for Recommender Systems*.

One concept a module, each made to be read from top to bottom beside its chapter.
"""
