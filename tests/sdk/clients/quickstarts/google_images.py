"""The quick starts of images and videos of `google-genai`."""

from __future__ import annotations

from typing import Any

from shapes.api import call, failed
from shapes.provider import refused, reply

from quickstarts.google_clients import vertex
from quickstarts.quickstart import Quickstart

PIXELS = {"mimeType": "image/png", "bytesBase64Encoded": "iVBORw0KGgo="}
FILTERED = {"raiFilteredReason": "It shows a person."}
DRAWN = reply({"predictions": [PIXELS, PIXELS, FILTERED]})
TWO = (call({}, meters={"images": 2}),)
MASKED = reply({"predictions": [PIXELS | {"labels": [{"label": "cat", "score": 0.9}]}]})
VEO = "veo-3.1-generate-preview"
OPERATION = f"projects/p/locations/us-central1/publishers/google/models/{VEO}/operations/o-2"
FILMS = {"videos": [{"bytesBase64Encoded": "AA==", "mimeType": "video/mp4"}]}


def images(url: str) -> Any:
    client = vertex(url)
    return client.models.generate_images(
        model="imagen-4.0-generate-001", prompt="Robot holding a red skateboard", config={"number_of_images": 3}
    )


async def images_async(url: str) -> Any:
    client = vertex(url)
    return await client.aio.models.generate_images(
        model="imagen-4.0-generate-001", prompt="Robot holding a red skateboard", config={"number_of_images": 3}
    )


def _picture() -> Any:
    from google.genai import types

    return types.Image(image_bytes=b"-", mime_type="image/png")


def _references() -> list[Any]:
    from google.genai import types

    mask = types.MaskReferenceConfig(mask_mode="MASK_MODE_BACKGROUND", mask_dilation=0)
    return [
        types.RawReferenceImage(reference_id=1, reference_image=_picture()),
        types.MaskReferenceImage(reference_id=2, reference_image=None, config=mask),
    ]


def edit(url: str) -> Any:
    client = vertex(url)
    return client.models.edit_image(
        model="imagen-3.0-capability-001", prompt="Sunlight and clear sky", reference_images=_references()
    )


async def edit_async(url: str) -> Any:
    client = vertex(url)
    return await client.aio.models.edit_image(
        model="imagen-3.0-capability-001", prompt="Sunlight and clear sky", reference_images=_references()
    )


def upscale(url: str) -> Any:
    client = vertex(url)
    return client.models.upscale_image(model="imagen-4.0-upscale-preview", image=_picture(), upscale_factor="x2")


async def upscale_async(url: str) -> Any:
    client = vertex(url)
    asked = {"model": "imagen-4.0-upscale-preview", "image": _picture(), "upscale_factor": "x2"}
    return await client.aio.models.upscale_image(**asked)


def recontext(url: str) -> Any:
    from google.genai import types

    client = vertex(url)
    return client.models.recontext_image(
        model="imagen-product-recontext-preview-06-30",
        source=types.RecontextImageSource(
            prompt="On a table", product_images=[types.ProductImage(product_image=_picture())]
        ),
    )


async def segment_async(url: str) -> Any:
    from google.genai import types

    client = vertex(url)
    source = types.SegmentImageSource(image=_picture(), prompt="cat")
    return await client.aio.models.segment_image(model="image-segmentation-001", source=source)


def videos(url: str) -> Any:
    from google.genai import types

    client = vertex(url)
    operation = client.models.generate_videos(
        model=VEO,
        prompt="A neon hologram of a cat driving at top speed",
        config=types.GenerateVideosConfig(number_of_videos=2, duration_seconds=8),
    )
    while not operation.done:
        operation = client.operations.get(operation)
    return operation.response.generated_videos


async def videos_async(url: str) -> Any:
    client = vertex(url)
    config = {"durationSeconds": 4}
    operation = await client.aio.models.generate_videos(model=VEO, prompt="A cat driving", config=config)
    while not operation.done:
        operation = await client.aio.operations.get(operation)
    return operation.response


def videos_of_any_length(url: str) -> Any:
    client = vertex(url)
    operation = client.models.generate_videos(model=VEO, prompt="A cat driving")
    return client.operations.get(operation).done


def _clip(**more: Any) -> Any:
    return reply({"name": OPERATION, **more})


def _promised(seconds: int) -> Any:
    return call({}, meters={"video_seconds": seconds}, billable="unknown")


PENDING = call({}, source="missing", scope="retrieve")
FREE = call({}, scope="retrieve", billable="false")
MADE = [call({}, scope="retrieve", meters={"video_seconds": seconds}) for seconds in (8, 4)]
UNTOLD = (call({}, source="missing"),)
FAULT = {"code": 3, "message": "It shows a person."}

QUICKSTARTS = (
    Quickstart("images", images, (DRAWN,), TWO),
    Quickstart("images async", images_async, (DRAWN,), TWO),
    Quickstart("images refused", images, (refused(400),), (failed([400], "ClientError"),)),
    Quickstart("images edited", edit, (DRAWN,), TWO),
    Quickstart("images edited async", edit_async, (DRAWN,), TWO),
    Quickstart("images upscaled", upscale, (DRAWN,), TWO),
    Quickstart("images upscaled async", upscale_async, (DRAWN,), TWO),
    Quickstart("images recontexted", recontext, (DRAWN,), TWO),
    Quickstart("images segmented async", segment_async, (MASKED,), UNTOLD),
    Quickstart(
        "videos",
        videos,
        (_clip(), _clip(), _clip(done=True, response=FILMS)),
        (_promised(16), PENDING, MADE[0]),
    ),
    Quickstart(
        "videos async",
        videos_async,
        (_clip(), _clip(done=True, response=FILMS)),
        (_promised(4), MADE[1]),
    ),
    Quickstart(
        "videos that fail",
        videos_async,
        (_clip(), _clip(done=True, error=FAULT)),
        (_promised(4), FREE | {"error": "3"}),
    ),
    Quickstart("videos of any length", videos_of_any_length, (reply({"name": f"{OPERATION}-2"}),), UNTOLD),
)
