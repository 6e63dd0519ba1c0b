"""Rules page: rules of alerts, a form to write one, its trial over the last hour, silences."""

from services.ui.pages.rules.callbacks import register
from services.ui.pages.rules.layout import layout
from services.ui.pages.rules.view import RulesView
from services.ui.state.page_context import Page

PAGE = Page("rules", "/rules", "Rules", layout, RulesView, register)
