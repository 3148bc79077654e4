"""The quick starts of `google-genai`."""

from __future__ import annotations

from quickstarts import google_batches, google_content, google_images, google_interactions, google_live
from quickstarts.quickstart import Client

CLIENT = Client(
    library="google-genai",
    module="google.genai",
    quickstarts=(
        *google_content.QUICKSTARTS,
        *google_images.QUICKSTARTS,
        *google_interactions.QUICKSTARTS,
        *google_batches.QUICKSTARTS,
        *google_live.QUICKSTARTS,
    ),
    reported="all, streamed too; cache reads, thoughts, tools, searches; images; seconds of videos whose length is "
    "asked for; explicit caches with the hours that they are asked to live; batch jobs and interactions in the "
    "background when they are read",
    missing="videos whose length is not asked for; masks; batch jobs at Vertex AI, or that nobody reads; explicit "
    "caches whose life is changed; output of what was left before its end",
)
