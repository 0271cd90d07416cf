"""axe and the Nu HTML checker find nothing on the pages of signing in, and on one's own page."""

from __future__ import annotations

import importlib.util
import re
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Response

pytestmark = pytest.mark.browser


def loaded(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"judge_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


axe_judge, nu_judge = loaded("test_accessibility"), loaded("test_html")
LOOKS = axe_judge.LOOKS


def link_of(served: Any, email: str) -> str:
    """The link in the newest mail to the address; other tests have left mails in the same outbox."""
    while sum(served.desk.outbox.run()):
        pass
    mails = sorted(
        Path(served.desk.settings.var, "mail").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns
    )
    sent = [message_from_bytes(path.read_bytes(), policy=default) for path in mails]
    text = [mail.get_content() for mail in sent if mail["To"] == email][-1]
    (link,) = re.findall(rf"{re.escape(served.url)}/api/sign-in/\S+", text)
    return str(link)


def pressed(page: Page) -> Response:
    """The answer to the page's own button."""
    with page.expect_navigation() as waiting:
        page.click("main form button[type=submit]")
    answer: Response = waiting.value
    return answer


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_signing_in_and_my_page_can_be_used_by_everybody(
    served: Any, chromium: Browser, axe: str, nu: Path, tmp_path: Path, width: int, scheme: str
) -> None:
    # An address of its own for each look: three mails an hour go to one.
    email = f"dana.{width}.{scheme}@example.gov"
    kept = served.desk.store.agreement("DEMO-1")
    changed = {name: getattr(kept, name) for name in kept.__dataclass_fields__}
    changed["contacts"] = (*kept.contacts, email)
    served.desk.store.import_agreements([type(kept)(**changed)], dry_run=False)
    served.desk.my_pages.new_calendar(email)

    page = axe_judge.opened(chromium, width, scheme)
    other = axe_judge.opened(chromium, width, scheme)
    found: list[str] = []
    written: list[Path] = []

    def judged(name: str, shown: Page, answer: Response | None) -> None:
        found.extend(axe_judge.findings(shown, axe))
        assert answer is not None
        written.append(tmp_path / f"{name}.html")
        written[-1].write_text(answer.text(), encoding="utf-8")

    judged("form", page, page.goto(f"{served.url}/support/sign-in/"))
    page.fill("#email", email)
    page.click(".form button[type=submit]")
    page.wait_for_url(f"{served.url}/api/sign-in")
    judged("sent", page, page.reload())
    link = link_of(served, email)
    judged("code", other, other.goto(link))
    other.fill("#code", "222-222")
    judged("wrong-code", other, pressed(other))
    judged("button", page, page.goto(link))
    pressed(page)
    judged("me", page, page.goto(f"{served.url}/api/me"))
    page.click("details.older > summary, details.why > summary >> nth=0")
    judged("me-opened", page, page.goto(f"{served.url}/api/me"))
    judged("sign-out", page, page.goto(f"{served.url}/api/sign-out"))
    judged("signed-out", page, pressed(page))
    judged("dead", page, page.goto(link))
    page.context.close()
    other.context.close()
    assert found == []
    assert nu_judge.errors(nu, *written) == []
