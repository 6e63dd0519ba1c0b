"""Delivery page: targets of alerts, a form to write one, the log of deliveries."""

from services.ui.pages.delivery.callbacks import register
from services.ui.pages.delivery.layout import layout
from services.ui.pages.delivery.view import DeliveryView
from services.ui.state.page_context import Page

PAGE = Page("delivery", "/delivery", "Delivery", layout, DeliveryView, register, in_menu=False)
