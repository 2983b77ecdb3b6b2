"""Somebody who orders: a process that reads counts and submits jobs, as the web does.

A line in, `<items> <side>`, is a job of so many portraits; a line out is when it was submitted.
"""

import os
import sys
import time
import uuid


def main() -> None:
    """Until its input ends."""
    import django

    django.setup()
    from PIL import Image

    from deploy.env import ROOT
    from portraits import jobs
    from portraits.models import Style
    from privacy.retention import Kind
    from tests.portraits import making
    from workers import images

    engine = os.environ.get("BENCH_ENGINE", "tests.bench.stub:FaceEngine")
    # An engine of random weights paints no face; whoever measures it says so.
    gate = {"face_gate": os.environ["BENCH_FACE_GATE"]} if "BENCH_FACE_GATE" in os.environ else {}
    for side in (512, 1024):
        recipe = {"style": "stub", "width": side, "height": side, **gate}
        made = {"slug": f"stub{side}", "name": "Stub", "engine": engine, "recipe": recipe}
        Style.objects.get_or_create(slug=made["slug"], defaults=made)
    with Image.open(ROOT / "deploy" / "demo" / "photo.jpg") as photo:
        data = images.encode_reference(photo.convert("RGB").resize((1024, 1024)))
    print("ready", flush=True)
    for line in sys.stdin:
        count, side = map(int, line.split())
        who = making.consenting()
        chosen = making.set_with_photo(who)
        for shown in chosen.photos.all():
            shown.reference = making.written(Kind.REFERENCE, who, data)
            shown.save()
        orders = [jobs.Order(f"stub{side}")] * count
        jobs.submit(who, chosen.pk, orders, uuid.uuid4().hex, making.now())
        print(time.monotonic(), flush=True)


if __name__ == "__main__":
    main()
