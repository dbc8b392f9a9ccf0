"""What the demo's tickets are about. Each line begins with who speaks: m for the member, s for staff, b for the bot."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Story:
    subject: str
    category: str
    lines: tuple[str, ...]
    ending: str


STORIES = (
    Story(
        "Shop charged me twice for the lantern skin",
        "Payments",
        (
            "m: Hi! I bought the **Amber Lantern** skin yesterday and my card shows it twice. I have only one.",
            "b: Thanks for writing. To find your order I need its number from the receipt (it begins with `LF-`).",
            "m: LF-20418 and LF-20419, two minutes apart. I clicked again because the page hung.",
            "s: Hello! I see both orders, and the second one never delivered anything. I refunded LF-20419 just now.",
            "s: Banks take 3 to 5 days. If it has not arrived by Friday, write here and we chase it.",
            "m: It arrived this morning already. Thank you so much!",
        ),
        "Double charge refunded",
    ),
    Story(
        "Cannot see the trading channel",
        "Access",
        (
            "m: I verified my account but #trading is still missing from the list.",
            "b: The channel opens at level 5. You are at level 4 with 860 of 1,000 XP.",
            "m: Oh! I thought it was only verification. How do I get XP?",
            "b: By talking: up to 20 XP a minute in any text channel, and 5 XP a minute in voice.",
            "s: One evening by the campfire and you are in. :)",
        ),
        "Explained levels",
    ),
    Story(
        "Somebody sends me links in DMs",
        "Reports",
        (
            'm: A person from this server keeps sending me "free nitro" links. Screenshot attached.',
            "s: Thank you for telling us, and please do not open them. Do you remember when the first one came?",
            "m: Around 21:40 yesterday. He wrote to a friend of mine as well.",
            "s: The account is banned and its messages of the last day are gone. If it comes back under another name, "
            "answer here and we are on it at once.",
            "m: Great, thanks for being quick.",
        ),
        "Account banned for phishing",
    ),
    Story(
        "Appeal: muted for a quote",
        "Appeals",
        (
            'm: I was muted for an hour for "slurs", but I was quoting the film we had just watched.',
            "s: I read the log.\n> you shall not pass, you utter *walnut*\nIs that what the filter took offence at?",
            "m: Yes! Walnut!",
            "s: That is on us. The word was on the list since last year's nut war. The mute is lifted.",
            "m: Justice for walnuts.",
        ),
        "Mute lifted, word list corrected",
    ),
    Story(
        "Bot does not answer /rank",
        "Bug",
        (
            "m: `/rank` says *The application did not respond* since this morning.",
            "b: I answered 212 commands in the last hour. Could you try again and tell me the exact time?",
            "m: 10:42, and again 10:44.",
            "s: Found it: people whose name begins with an emoji broke the card. Fixed just now, would you try again?",
            "m: Works. And I am rank 9!",
        ),
        "Fixed",
    ),
    Story(
        "Gift code says it is used up",
        "Gift codes",
        (
            "m: The code from the stream says *This code cannot be redeemed: it is used up.* I was there in seconds.",
            "s: It had 50 uses and 50 people were faster, sadly. There will be another on Saturday at 20:00 UTC.",
            "m: Could it have more uses? I always miss them, my connection is slow.",
            "s: Good point. Saturday's will have 250.",
        ),
        "Explained, next code announced",
    ),
    Story(
        "How do I change my display name colour?",
        "Question",
        (
            "m: I saw people with a teal name. Where do I get that?",
            "b: Colours come with roles. Teal is *Lantern Keeper*, which gift codes and the winter event give.",
            "m: Thanks!",
        ),
        "Answered",
    ),
    Story(
        "Request: a channel for speedruns",
        "Ideas",
        (
            "m: There are at least 15 of us by now. Could we have a channel? We fill up #general with splits.",
            "s: I like it. Can you collect a few names who would look after it?",
            "m: me, and two others who said yes in voice. We would pin the rules and the timer we use:\n"
            "1. any%\n2. all lanterns\n3. no lamps (please)",
            "s: Made #speedruns, you three may pin and clean up there. Have fun.",
        ),
        "Channel made",
    ),
    Story(
        "My save is gone after the update",
        "Bug",
        (
            "m: After 1.8.2 the game starts at the harbour as if I were new. 60 hours…",
            "s: First: do not save over it. Could you send the folder from *Settings → Storage → Open*?",
            "m: Attached.",
            "s: Your save is in there, the update only looks in the wrong place. Rename `slot_0.bak` to `slot_0.sav`.",
            "m: IT IS BACK. You saved my winter.",
        ),
        "Save recovered",
    ),
    Story(
        "Where is my commission?",
        "Commissions",
        (
            "m: I ordered a laser-cut box three weeks ago and have heard nothing since the deposit.",
            "s: Sorry about the silence. The tube of the cutter broke and the new one came on Monday.",
            "s: Yours is second in line, so Thursday. Would a photo before engraving help?",
            "m: Yes please! And no hurry, I only wanted to know that it had not been lost.",
        ),
        "Date agreed",
    ),
    Story(
        "Which filament for outdoors?",
        "Question",
        (
            "m: I want to print planters that survive summer on a balcony. PLA bent last year.",
            "b: PETG stands up to about 75 °C and ASA to about 95 °C, which also keeps its colour in the sun.",
            "s: ASA needs an enclosure and air. If yours is open, PETG in white is what I would take.",
            "m: White PETG it is.",
        ),
        "Answered",
    ),
    Story(
        "Please remove my photo",
        "Privacy",
        (
            "m: Somebody posted a picture of the workshop evening in #show-and-tell and I am in it. Could that go?",
            "s: Of course. It is deleted, and I asked them to blur faces next time.",
            "m: Thank you, no hard feelings.",
        ),
        "Photo removed",
    ),
    Story(
        "Cannot join the voice channel",
        "Access",
        (
            "m: The voice channel tells me *No route*. Everything else works.",
            "b: That message comes from Discord when a VPN or firewall blocks UDP. Are you behind one?",
            "m: University network… with my phone's hotspot it works!",
            "s: Then their firewall is the one. Another voice region sometimes helps, I moved ours to Rotterdam.",
        ),
        "Network of the member",
    ),
    Story(
        "Two-factor lost, cannot get my role back",
        "Access",
        (
            "m: New account because my phone drowned. I was **Lantern Keeper** on the old one.",
            "s: Sorry to hear that! To be sure it is you: which painting won in March?",
            "m: The lighthouse one, and I voted for the cat.",
            "s: Everybody voted for the cat. Role given, welcome back.",
        ),
        "Role moved to the new account",
    ),
)
# A third of the tickets are still being talked about; these are the last words so far.
WAITING = (
    "s: Could you send a screenshot of it? Then I can look further.",
    "s: I asked the one who built it and come back to you tomorrow.",
    "m: Any news?",
    "s: Would you try once more with the new version and tell me?",
)
