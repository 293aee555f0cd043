"""The chat: who can answer and how they are asked (behind `seam.chat`), and what a visitor sees of it."""
