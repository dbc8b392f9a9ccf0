"""How the platform is put together: settings, URLs, processes. It imports everything else, never the other way."""
