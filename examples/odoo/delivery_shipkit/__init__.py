from . import controllers, models, wizards
from .hooks import uninstalled
