"""Ninety products with name and price, and the options that train on them in seconds."""

COMMAND = ["--data", "csv:products.csv", "--text-column", "name", "--label-column", "season", "--tabular", "price"]
QUICK = [*COMMAND, "--epochs=1", "--width=4", "--max-tokens=6", "--verify-rows=256", "--no-baseline", "--run", "run"]


def write_products(folder, nameless=None):
    """Writes products.csv; of every nine rows the one with this number has no name."""
    rows = ["name,price,season,split"]
    for row in range(90):
        split = "test" if row % 5 == 0 else "validation" if row % 5 == 1 else "train"
        name = "" if row % 9 == nameless else ["Wool coat", "linen shirt"][row % 2]
        rows.append(f"{name},{row / 7:.2f},{['Winter', 'Summer'][row % 2]},{split}")
    (folder / "products.csv").write_text("\n".join(rows))
