"""Upload page: files of bars, analysed like live pairs."""

from services.ui.pages.upload.callbacks import register
from services.ui.pages.upload.layout import layout
from services.ui.pages.upload.view import UploadView
from services.ui.state.page_context import Page

PAGE = Page("upload", "/upload", "Upload", layout, UploadView, register)
