"""The pages of the studio, in the order of the navigation.

Where it stands: under the studio and the server. What it does not know: what a page shows.
"""

VIEWS = (  # file, title, icon, address, what it is for; the first is where a visitor arrives
    ("tour", "Tour", "explore", "tour", "One item, eight names; and the three papers as live stories."),
    ("data", "Data", "table_chart", "data", "The data set: counts, long tail, histories; upload your own."),
    ("train", "Train", "model_training", "train", "Put a recipe together, start it, and watch it learn."),
    ("tokens", "Tokens", "scatter_plot", "tokens", "The map of users and items, and who shares which Token."),
    ("compare", "Compare", "leaderboard", "compare", "Runs and baselines in one table, with intervals."),
    ("xray", "X-ray", "radiology", "xray", "What the model really reads, and where an item was lost."),
    ("recommend", "Recommend", "thumb_up", "recommend", "The model beside the baselines."),
    ("chat", "Chat", "chat", "talk", "Tell the model what you liked."),
)
ADDRESSES = tuple(path for _, _, _, path, _ in VIEWS)
