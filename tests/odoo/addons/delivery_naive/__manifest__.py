{
    "name": "A provider after core's own pattern",
    "version": "19.0.1.0.0",
    "license": "LGPL-3",
    "author": "The shipkit maintainers",
    "depends": ["delivery_shipkit"],
    "installable": True,
}
