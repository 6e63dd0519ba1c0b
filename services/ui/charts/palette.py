"""Palette: colours and font of the charts; those of the page are in ``assets/1-tokens.css``."""

# Mid tones, so that one colour keeps a contrast of 3:1 on both themes.
UP, DOWN = "#1f9d6b", "#e0484d"
LEG_Y, LEG_X = "#3d82f0", "#b9770e"
SPREAD, ZSCORE, BEYOND = "#7a8794", "#3d82f0", "#cf7a20"
COMPARED = "#b0559f"
BAND_LABEL = "#8f5a14"
VWAP = "#8a72e0"
LEVEL, LEVEL_LABEL = "#3d82f0", "#2b6bd1"
GAP, GAP_ALPHA = "#cf7a20", "59"  # 35 %
NOTHING = "rgba(91, 104, 117, 0)"
FIRING, RESOLVED = "#e0484d", "#7a8794"
HOVER = "#2b3743"
VOLUME_ALPHA = "59"  # 35 %
OPEN_ALPHA = "26"  # 15 %
BAND_ALPHA = "26"  # 15 %
FIRING_ALPHA = "14"  # 8 %, several on a pixel

FONT = "Inter, 'Segoe UI', -apple-system, Roboto, 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif"
