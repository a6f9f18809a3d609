"""A Kotlin phone, a Swift phone and the command line in one team: do they hold the same after they exchanged?

Called by scripts/test-three: three.py FOLDER PROGRAMS KOTLIN... -- SWIFT...
FOLDER is empty; PROGRAMS holds `satchel` and `satchel-relay`; KOTLIN and SWIFT start the two phones.
"""

import json
import os
import subprocess
import sys
import tempfile

LONG = 120  # no answer takes longer on a busy machine (seconds)


class Failed(Exception):
    pass


class Process:
    """A process that reads lines and answers lines."""

    def __init__(self, name, command, **options):
        self.name = name
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, **options)

    def say(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()

    def hear(self):
        line = self.child.stdout.readline()
        if not line:
            raise Failed(f"{self.name} ended with {self.child.wait(LONG)}")
        return line.strip()

    def end(self):
        self.child.stdin.close()
        self.child.stdout.read()
        return self.child.wait(LONG)


class App:
    """A phone in Kotlin or Swift."""

    def __init__(self, name, command):
        self.name = name
        self.process = Process(name, command)

    def ask(self, line):
        self.process.say(line)
        return self.answer(line)

    def answer(self, line):
        words = self.process.hear().split(" ")
        if words[0] == "failed":
            raise Failed(f"{self.name}: {line}: {' '.join(words)}")
        return words[1:]

    def work(self):
        return self.ask(f"work {self.name}")[0]

    def sync(self):
        self.ask("sync")

    def listen(self):
        self.process.say("listen")
        return self.answer("listen")[0], lambda: self.answer("listen")

    def dial(self, address):
        self.ask(f"dial {address}")

    def names(self):
        return self.ask("names")

    def likeness(self):
        return tuple(self.ask("likeness"))


class Cli:
    """The command line; each command is a process of its own."""

    name = "cli"

    def __init__(self, folder, programs):
        self.start = [
            os.path.join(programs, "satchel"), "--json", "--store", os.path.join(folder, "cli"), "--keystore",
            os.path.join(folder, "cli-keys"), "--key-cost", "least", "--passphrase-fd", "0",
        ]

    def begin(self, *words):
        process = Process("satchel " + words[0], [*self.start, *words])
        process.say("correct horse battery staple")
        return process

    def run(self, *words):
        process = self.begin(*words)
        process.child.stdin.close()
        lines = process.child.stdout.read().splitlines()
        if process.child.wait(LONG) != 0:
            raise Failed(f"satchel {' '.join(words)} failed")
        return json.loads(lines[-1]) if lines else None

    def admit(self, app):
        inviting = self.begin("invite", "--role", "worker")
        invitation = json.loads(inviting.hear())
        app.process.say(f"join {invitation['address']} {invitation['invitation']} {app.name.capitalize()}")
        shown, words = json.loads(inviting.hear())["words"], app.answer("join")
        if (shown.split() if isinstance(shown, str) else shown) != words:
            raise Failed(f"the words differ: {shown} {words}")
        inviting.say("yes")
        app.process.say("yes")
        app.answer("join")
        if inviting.end() != 0:
            raise Failed("the invitation failed")

    def work(self):
        somebody = self.run("participant", "add", "--alias", self.name, "--recognition-word", "heron")["id"]
        zone = self.run("zone", "add", "by the cli bridge")["id"]
        self.run("encounter", "add", "--participant", somebody, "--zone", zone, "--note", "gave 2 kits")
        self.run("follow-up", "add", "--participant", somebody, "--what", "bring a tent")
        grant = self.run("grant", "give", somebody, "--category", "legal_name", "--purpose", "housing_application", "--yes")["id"]
        self.run("vault", "write", somebody, grant, "--fact", "legal_name=Maria Gonzalez")
        return somebody

    def sync(self):
        self.run("sync")

    def listen(self):
        listening = self.begin("peer", "listen")

        def ended():
            if listening.end() != 0:
                raise Failed("satchel peer listen failed")

        return json.loads(listening.hear())["listening"], ended

    def dial(self, address):
        self.run("peer", "dial", address)

    def names(self):
        return sorted(line["alias"] for line in self.run("participant", "list"))

    def likeness(self):
        likeness = self.run("doctor")["likeness"]
        return str(likeness["bodies"]), likeness["digest"]


def meet(dialer, listener):
    address, ended = listener.listen()
    dialer.dial(address)
    ended()


def told(phones):
    return {phone.name: phone.likeness() for phone in phones}


def show(when, likenesses):
    print(f"  {when}")
    for name, (bodies, digest) in likenesses.items():
        print(f"    {name:<7}{bodies:>4} bodies  {digest}")


def require_same(when, phones):
    """Every phone holds the same bodies and shows the same."""
    likenesses = told(phones)
    show(when, likenesses)
    if len(set(likenesses.values())) != 1:
        raise Failed(f"{when}: not the same")
    names = {phone.name: phone.names() for phone in phones}
    if len({tuple(found) for found in names.values()}) != 1:
        raise Failed(f"{when}: {names}")
    return next(iter(likenesses.values()))


def require_different(when, phones):
    """The control: what `require_same` finds out, it can find out."""
    try:
        require_same(when, phones)
    except Failed as found:
        print(f"    so it is found: {found}")
        return
    raise Failed(f"{when}: nothing was noticed")


def until_same(when, phones, exchange):
    """Exchanges until nobody has news, as phones do that meet again and again; a few rounds at most."""
    for _ in range(4):
        exchange()
        if len(set(told(phones).values())) == 1:
            break
    return require_same(when, phones)


def story(cli, kotlin, swift, relay):
    phones = [cli, kotlin, swift]
    cli.run("init", "--name", "Cli", "--time-zone", "America/Los_Angeles")
    cli.run("relay", "set", relay["url"], "--mailbox", relay["mailbox"], "--secret", relay["secret"])
    cli.sync()
    for app in (kotlin, swift):
        cli.admit(app)

    def through_relay():
        for phone in phones:
            phone.sync()

    def hand_to_hand():
        meet(kotlin, swift)
        meet(swift, cli)
        meet(cli, kotlin)

    until_same("in one team", phones, through_relay)
    somebody = {phone.name: phone.work() for phone in phones}
    require_different("a day's work on each, nothing exchanged", phones)
    first = until_same("through the relay", phones, through_relay)
    if sorted(cli.names()) != ["cli", "kotlin", "swift"]:
        raise Failed(f"{cli.names()}")

    # no relay from here on. Two phones change one file at the same time, one takes a yes back, one erases somebody
    kotlin.ask(f"edit {somebody['cli']} mill")
    swift.ask(f"edit {somebody['cli']} pier")
    swift.ask(f"withdraw {somebody['kotlin']}")
    kotlin.ask(f"erase {somebody['swift']}")
    cli.work()
    second = until_same("from hand to hand", phones, hand_to_hand)
    if second == first or "swift" in cli.names():
        raise Failed("what was done since is not there")
    kotlin.ask("work last")
    meet(swift, cli)
    require_different("one record lies on the Kotlin phone alone", phones)
    until_same("and back through the relay", phones, through_relay)


def main(folder, programs, *commands):
    at = commands.index("--")
    folder = tempfile.mkdtemp(dir=folder)
    data = os.path.join(folder, "relay")
    relay = Process("relay", [os.path.join(programs, "satchel-relay"), "serve", "--data", data, "--listen", "127.0.0.1:0"])
    apps = []
    try:
        url = "http://" + json.loads(relay.hear())["listening"]
        made = subprocess.run([os.path.join(programs, "satchel-relay"), "mailbox", "create", "--data", data], capture_output=True,
                              text=True, check=True, timeout=LONG).stdout
        mailbox = dict(line.split(" ", 1) for line in made.splitlines())
        apps = [App("kotlin", [*commands[:at], folder]), App("swift", [*commands[at + 1:], folder])]
        story(Cli(folder, programs), *apps, {"url": url, **mailbox})
        for app in apps:
            if app.process.end() != 0:
                raise Failed(f"{app.name} did not end well")
    except (Failed, OSError, ValueError, subprocess.SubprocessError) as error:
        print(f"!!! {error}", file=sys.stderr)
        return 1
    finally:
        for process in [relay, *(app.process for app in apps)]:
            process.child.kill()
    print("Three phones hold the same")
    return 0


sys.exit(main(*sys.argv[1:]))
