"""The studio: pages and chat over `llmrec`. `server` runs it, `backend` is its only bridge to the library."""
