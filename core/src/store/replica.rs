//! What a session with a colleague's phone needs of this store.
