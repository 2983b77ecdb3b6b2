"""The walk of support: four questions of people, answered with the docs alone.

A failed job is found and explained, its style is retired, a request for a copy is answered and a
report "this is my face" is closed. What people write is sent by the public API, what they are told
is read from their mailbox.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from tests import styles
from tests.api.people import PASSWORD, People, Person
from tests.staff import cast
from tests.staff.walking import Diary, Walker

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SUPPORT, REQUESTS = "support.md", "requests.md"
LIKED = "pencil"
WHY = "the engine cannot paint this style in this size"
FOUND = (
    "We asked the people whose account you named.\n\n"
    "They were told by us and have deleted the portraits themselves."
)
REPORTED = "Somebody at my work has an album of me that I never sat for."


def walk(people: People, browser: Browser) -> Diary:
    """All of it, in order; fails at the first thing that the docs say and the pages do not do."""
    diary = Diary()
    look = f"chalk-{secrets.token_hex(4)}"
    # No page of the admin publishes what no worker has painted, so this is written behind its back:
    # a style that its engine can paint no more, as a change of weights would leave it.
    styles.publish(people.live, look, "pocket")
    guest = _guest(people, diary, look)
    desk = _colleague(people, browser, diary, "support")
    _sign_in(desk)
    _a_failed_job(desk, guest, look)
    _a_style(people, browser, diary, look)
    _a_copy(people, desk, guest)
    _a_face(people, desk)
    _a_report(desk, guest)
    desk.leaves()
    return diary


def _guest(people: People, diary: Diary, look: str) -> Person:
    diary.part = "Before it"
    guest = cast.signed_up(people, "guest")
    assert guest.sign().is_success
    job = guest.submit(guest.set_with_photo(), look).json()["id"]
    ended = guest.ended(job)
    assert ended["state"] == "failed", ended
    diary.meanwhile(
        "Somebody signs up, signs the consent, hands in a photo and orders a portrait in a style"
        " that its engine can paint no more. The job fails."
    )
    return guest


def _colleague(people: People, browser: Browser, diary: Diary, role: str) -> Walker:
    diary.meanwhile(
        f"A colleague signs up in the app, and an operator runs `manage.py staff add … {role}`."
    )
    return Walker(browser, people.live.urls.web, diary, cast.employed(people, role, role))


def _sign_in(desk: Walker) -> None:
    desk.diary.part = "Signing in for the first time"
    desk.read(SUPPORT, "Sign in there with your e-mail and password.")
    desk.opens()
    desk.types("E-mail", desk.me.email, noted="the address")
    desk.types("Password", PASSWORD, noted="the password")
    desk.button("Continue")
    desk.sees("Set up your second factor")
    desk.visit.accessible("setting up")
    desk.read(
        SUPPORT,
        "let an authenticator app on your phone look at the square, or type the key beneath it."
        " Type the six digits that the app shows, and press **Continue**",
    )
    desk.scans()
    desk.types_a_code()
    desk.button("Continue")
    desk.sees("Put these recovery codes away.")
    desk.read(SUPPORT, "Put the ten recovery codes away, not on the phone.")
    desk.link("Go on")
    desk.sees("Waiting longest", noted="the overview, with the card *Waiting longest*")


def _a_failed_job(desk: Walker, guest: Person, look: str) -> None:
    desk.diary.part = "A failed job is found and explained"
    desk.diary.meanwhile("The person writes, from the address of their account: why did it fail?")
    desk.read(
        SUPPORT,
        "**Accounts** → type the whole e-mail address, or the id, into the search above the list,"
        " press Enter, and click the id that is found.",
    )
    desk.link("Accounts")
    desk.search(guest.email, noted="the whole address")
    desk.row(str(guest.id), noted="clicked the id that was found")
    desk.sees("Last seen at", noted="the account: id, region, last seen; no address")
    assert guest.email not in desk.page.content()
    desk.read(SUPPORT, "Press **Jobs of this account**; the newest is on top.")
    desk.link("Jobs of this account")
    job = guest.http.get("/v1/jobs").json()["results"][0]["id"]
    desk.sees(job, noted="one job: *failed*")
    desk.read(SUPPORT, "**What happened** tells its life in sentences")
    desk.row(job, noted="clicked the job's id")
    desk.sees(f"Portrait 1 ({look}) failed: {WHY}.", noted=f"Portrait 1 (chalk) failed: {WHY}.")
    desk.shot("support-job")
    desk.read(
        SUPPORT,
        "| the engine cannot paint this style in this size | We are looking at that style. Nothing"
        " was counted. | content: retire the version |",
    )
    desk.notes("wrote that to the person, and told the colleague who keeps the styles")
    desk.sees("The job ended: failed.", noted="nothing new: the page says all of it")


def _a_style(people: People, browser: Browser, diary: Diary, look: str) -> None:
    diary.part = "A style is retired"
    keeper = _colleague(people, browser, diary, "content")
    keeper.read(SUPPORT, "Sign in there with your e-mail and password.")
    keeper.comes_in(PASSWORD)
    keeper.sees("Waiting longest", noted="the overview, as above")
    keeper.read(SUPPORT, "Open **Styles**, and type its short name into the search")
    keeper.link("Styles")
    keeper.search(look, noted="its short name")
    keeper.sees("current", noted="one version: *current*")
    keeper.read(SUPPORT, "Click the version whose life is *current*, and press **Retire**.")
    keeper.row(look, within="current", noted="clicked the version")
    keeper.link("Retire")
    keeper.sees("Nobody can order this style any more. What was ordered is painted")
    keeper.read(SUPPORT, "The page says what that does. Press **Retire** there.")
    keeper.button("Retire")
    keeper.sees("Nobody can order this style any more.")
    assert look not in cast.gallery(people)
    diary.meanwhile("The app's gallery has the style no more.")
    keeper.leaves()


def _a_report(desk: Walker, guest: Person) -> None:
    desk.diary.part = "What an owner reports is looked into"
    done = guest.ended(guest.submit(guest.set_with_photo(), LIKED).json()["id"])
    portrait = done["items"][0]["portrait"]
    said = guest.http.post(f"/v1/portraits/{portrait}/report", json={"reason": "broken"})
    assert said.is_success, said.text
    desk.diary.meanwhile("The person reports that something in a portrait is painted wrongly.")
    desk.read(SUPPORT, "Open **Reports**. Tick those that were looked into.")
    desk.link("Reports")
    desk.ticks(LIKED)
    desk.sees("selected", noted="a bar with what can be done")
    desk.read(SUPPORT, "choose **Mark as looked into**, and press **Run**.")
    desk.picks("Mark as looked into")
    desk.button("Run")
    desk.sees("Looked into, and closed: 1.")


def _a_copy(people: People, desk: Walker, guest: Person) -> None:
    desk.diary.part = "A request for a copy of everything is answered"
    number = cast.asks(guest, "access", "Send me what you know about me, please.")
    desk.diary.meanwhile("The person asks for a copy, in the app, without having signed in anew.")
    desk.read(REQUESTS, "By number, account id or exact e-mail address you find one")
    desk.link("Requests")
    desk.search(guest.email, noted="the exact address")
    desk.row(number[:8], noted="clicked the request that was found")
    desk.sees("Take it.", noted="What to do now: *Take it.*")
    desk.read(REQUESTS, "Press **Take the request**. From now on nobody else works on it.")
    desk.button("Take the request")
    desk.sees("It is yours.")
    desk.read(REQUESTS, "Press **Show what was written** if you need it to answer.")
    desk.button("Show what was written")
    desk.sees("Send me what you know about me, please.", noted="what the person wrote")
    desk.read(REQUESTS, "Press **Send the first answer**.")
    desk.button("Send the first answer")
    desk.sees("The first answer is sent.")
    assert cast.subjects(people, guest.email) == ["Please confirm your request"]
    desk.shot("support-request")
    cast.confirms(guest, number)
    desk.diary.meanwhile(
        'The person has the letter "Please confirm your request", signs in anew in the app and'
        " confirms."
    )
    desk.read(REQUESTS, "Wait until the page says **proven by a fresh sign-in**.")
    desk.reloads()
    desk.sees("proven by a fresh sign-in")
    desk.read(REQUESTS, 'Under "How it ends" choose **Make the copy and tell the person**.')
    desk.chooses("How it ends", "Make the copy and tell the person")
    desk.button("Answer and close")
    desk.sees("Closed. The receipt is on this page.")
    assert cast.subjects(people, guest.email)[1:] == ["Your copy is being prepared"]
    assert cast.fetches(guest, number)
    desk.diary.meanwhile(
        'The person has the letter "Your copy is being prepared", and fetches the copy in the app.'
    )


def _a_face(people: People, desk: Walker) -> None:
    desk.diary.part = 'A report "this is my face" is closed'
    contact = f"stranger-{secrets.token_hex(4)}@example.org"
    number = cast.reports_a_face(people, contact, REPORTED)
    desk.diary.meanwhile(
        "Somebody without an account reports that their face was used, and calls with the number"
        " that they were told."
    )
    desk.read(REQUESTS, "and a report about a face by the number that its sender was told.")
    desk.link("Requests")
    desk.search(number, noted="the number of the report")
    desk.row(cast.request_of(people, number)[:8], noted="clicked the request that was found")
    desk.sees("Take it.", noted="What to do now: *Take it.*")
    desk.read(REQUESTS, "Press **Take the request**. From now on nobody else works on it.")
    desk.button("Take the request")
    desk.sees("It is yours.")
    desk.read(REQUESTS, "Press **Show what was written** if you need it to answer.")
    desk.button("Show what was written")
    desk.sees(REPORTED, noted="what the stranger wrote, and no address of theirs")
    assert contact not in desk.page.content()
    desk.read(REQUESTS, "Press **Send the first answer**.")
    desk.button("Send the first answer")
    desk.sees("The first answer is sent.")
    desk.read(REQUESTS, 'Under "How it ends" choose **Tell the person what you found**.')
    desk.chooses("How it ends", "Tell the person what you found")
    desk.types("What you write to the person", FOUND, noted="what was found and done")
    desk.has("What you write to the person", FOUND, noted="the words in their field")
    desk.diary.meanwhile("Writing takes more than ten minutes (the walk sets the clock forward).")
    cast.ten_minutes_later(people, desk.me)
    desk.read(REQUESTS, "Press **Answer and close**.")
    desk.button("Answer and close")
    desk.sees("Is it still you?")
    desk.shot("support-again")
    desk.read(SUPPORT, "type a code and press **Continue**; then press the button")
    desk.types_a_code()
    desk.button("Continue")
    desk.sees("Nothing was done yet. What you had chosen and written is still here.")
    desk.visit.accessible("offered again")
    desk.read(SUPPORT, "Nothing was done before, and nothing that you chose or wrote is lost")
    desk.button("Answer and close")
    desk.sees("Closed. The receipt is on this page.")
    assert cast.subjects(people, contact) == ["We have your request", "Your report about your face"]
    assert " ".join(FOUND.split()) in cast.letters(people, contact)[-1][1]
    desk.diary.meanwhile(
        'The stranger has the letters "We have your request" and "Your report about your face",'
        " the second with all that was typed."
    )
