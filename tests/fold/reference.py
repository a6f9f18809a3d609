#!/usr/bin/env python3
"""A second, slow fold of the team log, written from docs/adr/0022-the-fold-of-the-team-log.md.

Reads JSON from stdin: {"wrong": name or null, "histories": [[operation, ...], ...]}, parents first. Writes one
{"accepted": [...], "state": {...}} for each history. "wrong" switches one rule to a wrong one: the comparison must
notice. Signatures and key encodings are not its business.
"""
import json
import sys

RANK = {"steward": 1, "worker": 2, "board": 3}
WRONG = None


class History:
    def __init__(self):
        self.ops = {}  # accepted, by id
        self.past = {}  # id -> ids in its past, itself included
        self.depth = {}
        self.facts = {}
        self.folds = {}

    # --- the shape of the history

    def before(self, a, b):
        return a in self.past[b]

    def concurrent(self, a, b):
        return not self.before(a, b) and not self.before(b, a)

    def rank(self, i):
        return (self.depth[i], i)

    def newest(self, ids):
        ids = list(ids)
        return [i for i in ids if not any(i != j and self.before(i, j) for j in ids)]

    def past_of(self, parents):
        return frozenset().union(*(self.past[p] for p in parents)) if parents else frozenset()

    # --- accepted

    def insert(self, op):
        if op["id"] in self.ops or any(p not in self.ops for p in op["parents"]):
            return False
        past = self.past_of(op["parents"])
        facts = self.judge(op, past)
        if facts is None:
            return False
        i = op["id"]
        self.ops[i] = op
        self.past[i] = past | {i}
        self.depth[i] = max((self.depth[p] + 1 for p in op["parents"]), default=0)
        self.facts[i] = facts
        return True

    def judge(self, op, past):
        act, kind = op["action"], op["action"]["kind"]
        if kind == "found":
            if past:
                return None
            return {"member": act["member"], "role": "steward", "admission": op["id"], "nature": "plain"}
        state = self.fold(past)
        if kind == "reseat":
            return self.judge_reseat(op, act, state)
        device = state["devices"].get(op["author"])
        if device is None or device["standing"] != "active":
            return None
        me = device["member"]
        role = state["members"][me]["role"]
        nature = self.check(op, act, kind, state, past, me, role)
        return nature and {"member": me, "role": role, "admission": device["admitted"], "nature": nature}

    def judge_reseat(self, op, act, state):
        if op["author"] != KEY_IDS.get(state["reseat"]):
            return None
        # frontiers, all that is left of a lost phone's chain, name no whole body
        unnamed = [[c[0], 0, None] for c in act["remove"]]
        if not cuts_fit(state, unnamed, None) or any(c[1] == 0 and c[2] is not None for c in act["remove"]):
            return None
        if act["device"] is not None:
            if act["steward"] is None or act["device"]["id"] in state["devices"]:
                return None
        elif act["steward"] is not None and act["steward"] not in state["members"]:
            return None
        return {"member": None, "role": None, "admission": None, "nature": "paper"}

    def check(self, op, act, kind, state, past, me, role):
        steward = role == "steward"
        members = state["members"]
        if kind == "admit":
            if act["device"]["id"] in state["devices"] or act["invitation"] in state["invitations"]:
                return None
            known = members.get(act["member"])
            if known is None:
                return "plain" if steward else None
            if known["standing"] != "active" or known["role"] != act["role"]:
                return None
            return "plain" if steward or act["member"] == me else None
        if kind in ("change_role", "suspend", "remove_member"):
            known = members.get(act["member"])
            if not steward or known is None or known["standing"] == "removed":
                return None
            if not cuts_fit(state, act["cuts"], act["member"]):
                return None
            if kind == "change_role":
                return "ban" if RANK[act["role"]] > RANK[known["role"]] else "plain"
            return "ban"
        if kind == "remove_device":
            if not cuts_fit(state, [act["cut"]], None):
                return None
            return "ban" if steward or state["devices"][act["cut"][0]]["member"] == me else None
        if kind == "adopt":
            return "plain" if steward and act["bodies"] else None
        if kind == "resume":
            return "plain" if steward and cuts_fit(state, [act["cut"]], None) and act["cut"][1] <= 1 << 30 else None
        if kind == "reinstate":
            known = members.get(act["member"])
            return "plain" if steward and known and known["standing"] == "suspended" else None
        if kind == "countersign":
            return "plain" if self.may_countersign(act["operation"], past, me, role) else None
        if kind == "tombstone":
            return self.check_tombstone(op, act, state, past, role)
        if kind == "change_charter":
            old, new = state["charter"], act["charter"]
            if not bounded(new) or (new["sunset"] > old["sunset"] and new["sunset"] > min(op["day"] + 731, 65535)):
                return None
            if not steward:
                return None
            return "loosening" if loosens(old, new) else "plain"
        if kind == "set_recovery":
            if act["key"] is None:
                return "plain" if steward and act["threshold"] == 0 == act["shares"] else None
            board = any(m["standing"] == "active" and m["role"] == "board" for m in members.values())
            fits = 2 <= act["threshold"] <= act["shares"] <= 16
            return "plain" if steward and board and fits else None
        if kind == "join":
            return "plain"
        if kind == "bulletin":
            # the board signed it: whose key that is, the charter of its past says; bytes that are none name no board
            board = act["board"] is not None and (WRONG == "bulletin" or act["board"] == state["charter"]["board_signing"])
            return "plain" if (steward or role == "board") and board and act["of_team"] else None
        raise ValueError(kind)

    def may_countersign(self, target, past, me, role):
        if target not in past:
            return False
        first, act = self.facts[target], self.ops[target]["action"]
        if first["member"] is None:
            return False
        if act["kind"] in ("remove_member", "reinstate"):
            return role in ("steward", "board") and me not in (first["member"], act["member"])
        if act["kind"] == "change_charter":
            return role == "board" and me != first["member"]
        return act["kind"] == "tombstone" and me != first["member"]

    def check_tombstone(self, op, act, state, past, role):
        scopes = [act["records"] > 0, act["subject"], act["category"], act["team"]]
        if act["records"] not in (0, 8, 32) or not act["sorted"] or not any(scopes):
            return None
        if act["team"] and (sum(scopes) > 1 or act["successor"]):
            return None
        if act["subject"] and act["category"]:
            return None
        if act["successor"] and (act["records"] != 8 or act["subject"] or act["category"]):
            return None
        if role == "board" or (act["team"] and role != "steward"):
            return None
        return "tombstone"

    # --- void

    def hits(self, ban, op):
        """Whether a ban or reseat hits the author of an operation."""
        act, facts = self.ops[ban]["action"], self.facts[ban]
        kind = act["kind"]
        member, device = self.facts[op]["member"], self.ops[op]["author"]
        if kind in ("suspend", "remove_member") or (kind == "change_role" and facts["nature"] == "ban"):
            return member is not None and act["member"] == member
        if kind == "remove_device":
            return act["cut"][0] == device
        if kind == "reseat":
            return any(cut[0] == device for cut in act["remove"])
        return False

    def void(self, ids):
        order = sorted(ids, key=self.rank)
        void = set()
        nature = lambda i: self.facts[i]["nature"]
        entered_void = lambda i: self.facts[i]["admission"] in void and self.facts[i]["admission"] != i
        # no tombstone is void, whoever wrote it
        lasts_not = lambda i: nature(i) != "tombstone" or (WRONG == "comes back" and entered_void(i))
        paper = [i for i in order if nature(i) == "paper"]
        for i in order:
            if nature(i) == "paper":
                continue
            hit = any(self.concurrent(p, i) and self.hits(p, i) for p in paper)
            if WRONG == "paper":
                hit = False
            if (entered_void(i) or hit) and lasts_not(i):
                void.add(i)
        bans = [i for i in order if nature(i) in ("ban", "paper") and i not in void]
        for i in order:
            if nature(i) in ("paper", "ban"):
                continue
            hit = any(self.concurrent(b, i) and self.hits(b, i) for b in bans)
            if WRONG == "concurrent":
                hit = False
            if (entered_void(i) or hit) and lasts_not(i):
                void.add(i)
        left = [i for i in order if i not in void]
        claims = {}
        for i in left:
            act = self.ops[i]["action"]
            if act["kind"] == "admit":
                claims.setdefault(("invitation", act["invitation"]), []).append(i)
            if act["kind"] in ("admit", "reseat") and act["device"] is not None:
                claims.setdefault(("device", act["device"]["id"]), []).append(i)
        beaten = set()
        for rivals in claims.values():
            for i in rivals:
                if nature(i) == "paper":
                    continue
                for j in rivals:
                    beats = nature(j) == "paper" or (j > i if WRONG == "rivals" else j < i)
                    if i != j and self.concurrent(i, j) and beats:
                        beaten.add(i)
        void |= beaten
        for i in order:
            if nature(i) not in ("paper", "ban") and entered_void(i) and lasts_not(i):
                void.add(i)
        return void

    def line(self, i, void):
        """The valid author nearest above an operation that follows a void admission; None if it follows none."""
        entered = self.facts[i]["admission"]
        if entered not in void or entered == i:
            return None
        return self.line(entered, void) or self.facts[entered]["member"]

    # --- the state

    def fold(self, ids):
        ids = frozenset(ids)
        if ids not in self.folds:
            self.folds[ids] = self.state(ids)
        return self.folds[ids]

    def state(self, ids):
        void = self.void(ids)
        ops = [i for i in sorted(ids, key=self.rank) if i not in void]
        act = lambda i: self.ops[i]["action"]
        kind = lambda i: act(i)["kind"]
        of = lambda *kinds: [i for i in ops if kind(i) in kinds]
        awaiting = {}
        seconds = {}
        for i in of("countersign"):
            seconds.setdefault(act(i)["operation"], []).append(self.facts[i])

        admissions = {}  # by member
        device_ops = {}  # by device, the last in log order
        made_steward = {}
        for i in of("found", "admit", "reseat"):
            a = act(i)
            member = a["steward"] if kind(i) == "reseat" else a["member"]
            role = a["role"] if kind(i) == "admit" else "steward"
            if member is None:
                continue
            if role == "steward":
                made_steward.setdefault(member, []).append(i)
            if a.get("device") is not None:
                admissions.setdefault(member, []).append((i, role))
                device_ops[a["device"]["id"]] = (i, member)
        for i in of("change_role"):
            if act(i)["role"] == "steward":
                made_steward.setdefault(act(i)["member"], []).append(i)
        seats = {}
        for i in of("reseat"):
            if act(i)["steward"] is not None:
                seats.setdefault(act(i)["steward"], []).append(i)

        def was_steward(member, seen_from):
            return any(not self.before(seen_from, made) for made in made_steward.get(member, []))

        def senior_second(i, about):
            return any(
                s["role"] in ("steward", "board") and s["member"] not in (self.facts[i]["member"], about)
                for s in seconds.get(i, [])
            )

        def complete(ban, member):
            if kind(ban) != "remove_member":
                return False
            if WRONG == "removal":
                return True
            return not was_steward(member, ban) or senior_second(ban, member)

        reinstatements = {}
        for i in of("reinstate"):
            reinstatements.setdefault(act(i)["member"], []).append(i)

        def effective(reinstatement, member):
            return not was_steward(member, reinstatement) or senior_second(reinstatement, member)

        def answered(ban, member):
            if any(self.before(ban, s) for s in seats.get(member, [])):
                return True
            return any(
                (WRONG == "reinstate" or self.before(ban, r)) and effective(r, member)
                for r in reinstatements.get(member, [])
            )

        bans_on = {}
        for i in of("suspend", "remove_member"):
            bans_on.setdefault(act(i)["member"], []).append(i)

        role_ops = {}
        for i in of("change_role", "reseat"):
            member = act(i)["member"] if kind(i) == "change_role" else act(i)["steward"]
            if member is not None:
                role_ops.setdefault(member, []).append(i)
        role_of = lambda i: act(i)["role"] if kind(i) == "change_role" else "steward"
        pick = min if WRONG == "role" else max

        members = {}
        for m in set(admissions) | set(seats):
            newest = self.newest(role_ops.get(m, []))
            if newest:
                role = pick((role_of(i) for i in newest), key=RANK.get)
            else:
                entries = admissions[m]
                first = [(i, r) for i, r in entries if not any(j != i and self.before(j, i) for j, _ in entries)]
                role = pick((r for _, r in first), key=RANK.get)
            bans = bans_on.get(m, [])
            standing = "active"
            if any(not complete(b, m) and not answered(b, m) for b in bans):
                standing = "suspended"
            if any(complete(b, m) and not any(self.before(b, s) for s in seats.get(m, [])) for b in bans):
                standing = "removed"
            if standing == "suspended":
                for b in bans:
                    if kind(b) == "remove_member" and not answered(b, m):
                        awaiting[b] = "removal"
                for r in reinstatements.get(m, []):
                    if not effective(r, m):
                        awaiting[r] = "reinstatement"
            members[m] = {"role": role, "standing": standing, "was_steward": bool(made_steward.get(m))}

        devices = {}
        order = {"active": 0, "suspended": 1, "removed": 2}
        for d, (admission, m) in device_ops.items():
            standing = members[m]["standing"]
            biting = []
            for i in of("remove_device", "reseat"):
                named = [act(i)["cut"]] if kind(i) == "remove_device" else act(i)["remove"]
                if any(c[0] == d for c in named) and not self.before(i, admission):
                    biting.append(i)
                    standing = "removed"
            for b in bans_on.get(m, []):
                if self.before(b, admission):
                    continue
                if complete(b, m):
                    biting.append(b)
                    standing = "removed"
                elif not answered(b, m):
                    biting.append(b)
            for i in self.newest(role_ops.get(m, [])):
                if kind(i) == "change_role" and self.facts[i]["nature"] == "ban" and role_of(i) == "board":
                    biting.append(i)
            cuts = {}
            for b in biting:
                a = act(b)
                named = a["cuts"] if "cuts" in a else a["remove"] if "remove" in a else [a["cut"]]
                for c in named:
                    if c[0] == d:
                        cuts[b] = c
            cuts = [cuts[b] for b in self.newest(cuts)]
            cut = (max if WRONG == "cut" else min)(cuts, key=lambda c: (c[1], c[2] or ""), default=None)
            devices[d] = {
                "member": m,
                "standing": max(standing, members[m]["standing"], key=order.get),
                "cut": cut,
                "admitted": admission,
                "bans": sorted(biting),
            }

        tombstones = {}
        for i in of("tombstone"):
            tombstones[i] = self.tombstone_stands(i, ids, seconds, void)
            if not tombstones[i]:
                awaiting[i] = "erasure"

        charter = self.charter(of, act, seconds, awaiting)
        bans = [i for i in ops if self.facts[i]["nature"] == "ban"]
        bans += [i for i in of("reseat") if act(i)["remove"]]
        bans += [i for i in tombstones if tombstones[i]]

        def setting(ids):
            newest = self.newest(ids)
            return min(newest) if newest else None

        key = setting([i for i in of("found", "reseat") if kind(i) == "found" or act(i)["next"] is not None])
        control = setting([i for i in of("reseat") if act(i)["control"] is not None])
        recovery = setting(of("set_recovery"))
        resumed = {}
        for i in of("resume"):
            resumed.setdefault(act(i)["cut"][0], []).append(i)
        highest = lambda cuts: sorted(cuts, key=lambda c: (-c[1], c[2] or ""))[0]
        return {
            "members": members,
            "devices": devices,
            "bans": sorted(bans),
            "tombstones": tombstones,
            "awaiting": awaiting,
            "adopted": sorted({b for i in of("adopt") for b in act(i)["bodies"]}),
            "resumed": {d: highest([act(i)["cut"] for i in self.newest(r)]) for d, r in resumed.items()},
            "invitations": sorted({act(i)["invitation"] for i in of("admit")}),
            "reseat": None if key is None else act(key)["reseat"] if kind(key) == "found" else act(key)["next"],
            "control": None if control is None else act(control)["control"],
            "recovery": None
            if recovery is None or act(recovery)["key"] is None
            else {k: act(recovery)[k] for k in ("key", "threshold", "shares")},
            "charter": charter,
        }

    def tombstone_stands(self, i, ids, seconds, void):
        guarded = self.guarded(i, ids)
        head = self.line(i, void)
        if head is not None and WRONG != "line":
            act = self.ops[i]["action"]
            same = [j for j in ids if self.ops[j]["action"].get("subject") is True and self.line(j, void) == head]
            if WRONG == "line of a device":
                same = [j for j in same if self.ops[j]["author"] == self.ops[i]["author"]]
            before = [j for j in same if self.rank(j) < self.rank(i) and not self.guarded(j, ids)]
            if act["team"] or (act["subject"] and len(before) >= 10):
                guarded = True
        return not guarded or any(s["member"] != self.facts[i]["member"] for s in seconds.get(i, []))

    def guarded(self, i, ids):
        """Whether a tombstone needs a second member, whoever let its author in."""
        op, act = self.ops[i], self.ops[i]["action"]
        past = self.past[i] - {i}
        members = self.fold(past)["members"].values()
        if sum(m["standing"] != "removed" for m in members) <= 1:
            return False
        mine = [j for j in ids if self.ops[j]["author"] == op["author"] and j != i]
        erased = [j for j in mine if j in past and self.ops[j]["action"].get("subject") is True]
        limit = 11 if WRONG == "ten" else 10
        if act["team"] or (act["subject"] and len(erased) >= limit):
            return True
        return WRONG != "fork" and act["subject"] and any(self.concurrent(i, j) for j in mine)

    def charter(self, of, act, seconds, awaiting):
        all_changes = of("change_charter")
        loosenings = [i for i in all_changes if self.facts[i]["nature"] == "loosening"]
        tightenings = of("found") + [i for i in all_changes if i not in loosenings]
        signed = lambda i: WRONG == "charter" or any(s["role"] == "board" for s in seconds.get(i, []))
        bases = self.newest([i for i in loosenings if signed(i)])
        over = lambda i: any(self.before(i, b) for b in bases)
        for i in loosenings:
            if not signed(i) and not over(i):
                awaiting[i] = "charter"
        rest = [i for i in tightenings if not over(i)]
        counted = bases + rest
        if not counted:
            return None
        charters = [act(i)["charter"] for i in counted]
        result = {f: min(c[f] for c in charters) for f in LOWER}
        result["suppression"] = max(c["suppression"] for c in charters)
        result["justice"] = all(c["justice"] for c in charters)
        narrow = set.union if WRONG == "grants" else set.intersection
        result["categories"] = sorted(narrow(*(set(c["categories"]) for c in charters)))
        for f in ("funders", "agreements"):
            # nothing said is unsaid; of too much the first in order
            said = [c[f] for c in charters if c[f] is not None]
            lines = {json.dumps(line): line for c in (said[:1] if WRONG == "unsaid" else said) for line in c}
            result[f] = sorted(lines.values())[:16] if said else None
        for f in ("reviewed", "review_due"):
            result[f] = min((c[f] for c in charters if c[f] is not None), default=None)
        result["time_zone"] = act(max(counted, key=self.rank))["charter"]["time_zone"]
        ordered = [act(i)["charter"] for i in sorted(bases, key=self.rank) + sorted(rest, key=self.rank)]
        first = lambda f, of: next((c[f] for c in of if c[f] is not None), None)
        result["board_key"] = first("board_key", ordered)
        named = ordered if WRONG == "signing" else [c for c in ordered if c["board_key"] == result["board_key"]]
        result["board_signing"] = first("board_signing", named)
        return result


def cuts_fit(state, cuts, member):
    names = [c[0] for c in cuts]
    if len(set(names)) != len(names) or any((c[1] == 0) != (c[2] is None) for c in cuts):
        return False
    devices = state["devices"]
    return all(n in devices and (member is None or devices[n]["member"] == member) for n in names)


LOWER = ("encounter", "zone", "participant", "sunset", "absence", "record_grant", "share_grant")


def ascends(values):
    return all(a < b for a, b in zip(values, values[1:]))


def are_lines(lines, text):
    if lines is None:
        return True
    fits = lambda t: 0 < len(t.encode()) <= 200 and t.strip() == t and not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in t)
    return len(lines) <= 16 and ascends(lines) and all(fits(text(line)) for line in lines)


def bounded(c):
    return (
        1 <= c["encounter"] <= 90 and c["zone"] <= 14 and 1 <= c["participant"] <= 365
        and 1 <= c["absence"] <= 21 and c["suppression"] >= 5
        and 1 <= c["record_grant"] <= 366 and 1 <= c["share_grant"] <= 366 and ascends(c["categories"])
        and are_lines(c["funders"], lambda line: line) and are_lines(c["agreements"], lambda line: line[1])
    )


def loosens(old, new):
    longer = any(new[f] > old[f] for f in LOWER)
    key = any(old[f] is not None and new[f] != old[f] for f in ("board_key", "board_signing"))
    grants = not set(new["categories"]) <= set(old["categories"]) or (new["justice"] and not old["justice"])
    first_none = lambda f: old[f] is None and new[f] == []
    lines = any(new[f] != old[f] and not first_none(f) for f in ("funders", "agreements"))
    due = new["review_due"] != old["review_due"]
    later = due and (new["review_due"] is None or (old["review_due"] is not None and new["review_due"] > old["review_due"]))
    return longer or key or grants or lines or later or new["suppression"] < old["suppression"] or new["reviewed"] != old["reviewed"]


KEY_IDS = {}


def main():
    global WRONG
    given = json.load(sys.stdin)
    WRONG = given["wrong"]
    KEY_IDS.update(given["key_ids"])
    answers = []
    for operations in given["histories"]:
        history = History()
        accepted = [op["id"] for op in operations if history.insert(op)]
        answers.append({"accepted": sorted(accepted), "state": history.fold(accepted)})
    json.dump(answers, sys.stdout)


main()
