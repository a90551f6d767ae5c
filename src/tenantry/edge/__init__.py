"""HTTP: routes, middleware, parsing and rendering. Only here does anybody know of it."""
