"""A translation in a process of its own, for tests that end it: FOLDER OUT URL."""

import sys
from pathlib import Path

from globmed.data.translate.opening import open_by_name
from globmed.data.translate.plan import Plan, Share
from globmed.data.translate.translating import translate_dataset
from globmed.data.translate.work import Job
from globmed.models.paying import Effort


def main(folder: Path, out: Path, url: str) -> None:
    """Translate by two, judged by a third, and back by a fourth."""
    plan = Plan(
        translators=(Share(f"api:one@{url}", 0.5), Share(f"api:two@{url}", 0.5)),
        languages=("es", "sw"),
        critic=f"api:three@{url}",
        back=f"api:four@{url}",
    )
    job = Job(folder=folder, plan=plan, out=out, check=lambda _source, _target: (), open_model=open_by_name)
    translate_dataset(job, effort=Effort(concurrency=4))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
