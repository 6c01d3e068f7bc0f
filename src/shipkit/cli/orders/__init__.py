"""A file of orders worked through: each row judged, carried out, shown; bad ones stop no other."""
