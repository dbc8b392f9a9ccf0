"""What files are made of before they are rows: names, types, content, links."""
