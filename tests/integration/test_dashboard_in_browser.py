"""optuna-dashboard on a finished run in a real Chromium: all is shown there, and nothing can be deleted."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.served_dashboard import served
from tests.helpers.small_project import Project

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
PATIENCE = 90  # seconds for a page on a busy machine
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,1600")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None or DRIVER is None, reason="needs Chromium: install the packages chromium, chromium-driver"
    ),
]


@pytest.fixture
def browser(tmp_path: Path) -> "Iterator[Chrome]":
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium: pip install selenium")
    options = webdriver.ChromeOptions()
    for option in (*OPTIONS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(option)
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield chrome
    chrome.quit()


def seen(browser: "Chrome", script: str) -> Any:
    """What the script returns, as soon as that is something."""
    from selenium.webdriver.support.ui import WebDriverWait

    wait: Any = WebDriverWait(browser, PATIENCE)
    return wait.until(lambda driver: driver.execute_script(f"return {script}"))


def shows(browser: "Chrome", text: str) -> bool:
    return bool(seen(browser, f"document.body.innerText.includes({text!r})"))


def test_a_finished_run_is_all_there_and_safe_in_the_browser(finished: Project, browser: "Chrome") -> None:
    process, told = served(finished)
    base = f"{told['url']}dashboard"
    status = {study["name"]: study for study in finished.json("status", "plan.yaml")["studies"]}
    try:
        browser.get(base)
        for name in status:
            assert shows(browser, name)
        name, study = next(iter(status.items()))
        open_study(browser, name)
        assert shows(browser, "macro-F1")
        assert shows(browser, f"Best Trial (number={study['best']['trial']})")
        assert shows(browser, f"{study['best']['value']:.15g}"[:6])
        address = browser.current_url.split("?")[0].rstrip("/")

        browser.get(f"{address}/smartSelection")  # the table of trials stands there
        for column in ("Value", "Param learning_rate", "accuracy", "macro_f1", "seconds"):
            assert column_is_there(browser, column), column

        browser.get(f"{address}/trials?numbers={study['best']['trial']}")
        assert shows(browser, "confusion.png")
        widths = "[...document.images].filter((i) => i.src.includes('/artifacts/')).map((i) => i.naturalWidth)"
        assert (
            len(seen(browser, f"(({widths}).length === 2 && ({widths}).every((w) => w > 200)) ? {widths} : null")) == 2
        )
        assert shows(browser, "labels.csv")

        browser.get(f"{address}/note")
        assert shows(browser, "The untuned baseline (trial 0) has macro-F1")
        assert shows(browser, "AutoModelForSequenceClassification.from_pretrained(path)")

        assert refused(browser, f"/api/studies/{address.rsplit('/', 1)[1]}", "DELETE") == 403
        assert refused(browser, f"/api/studies/{address.rsplit('/', 1)[1]}/note", "PUT") == 403
        assert refused(browser, "/api/studies", "POST") == 403
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert {study["name"] for study in finished.json("status", "plan.yaml")["studies"]} == set(status)


def open_study(browser: "Chrome", name: str) -> None:
    """A click on its card, as a user does."""
    link = f"[...document.querySelectorAll('a, button')].find((found) => found.innerText.includes({name!r}))"
    seen(browser, f"!!({link})")
    browser.execute_script(f"({link}).click()")
    assert seen(browser, "location.pathname.includes('/studies/')")


def column_is_there(browser: "Chrome", column: str) -> bool:
    heads = "[...document.querySelectorAll('th')].map((head) => head.innerText.replace(/\\s+/g, ' '))"
    return bool(seen(browser, f"({heads}).some((head) => head.includes({column!r}))"))


def refused(browser: "Chrome", path: str, method: str) -> int:
    script = "const done = arguments[arguments.length - 1];"
    script += f"fetch({path!r}, {{method: {method!r}, headers: {{'Content-Type': 'application/json'}}, body: '{{}}'}})"
    return int(browser.execute_async_script(f"{script}.then((answer) => done(answer.status))"))
