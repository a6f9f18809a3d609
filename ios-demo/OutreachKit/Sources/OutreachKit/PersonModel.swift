/// One participant file.
@MainActor public final class PersonModel: Model<PersonModel.State> {
    public struct State: Sendable {
        public var file: Participant?
        public var encounters: [EncounterLine] = []
        public var promised: [FollowUpLine] = []
        public var referrals: [SelfReferralLine] = []
        public var grants: [GrantLine] = []
        public var resources: [Resource] = []
        public var isChoosing = false
        public var isWithdrawing = false
    }

    public let promise: GuardedText
    private let id: String

    init(_ app: Outreach, _ id: String) {
        self.id = id
        promise = GuardedText(app)
        super.init(app, State())
    }

    public override func load() {
        loading { [self] in
            guard let file = shown(await repository.participant(id)), let encounters = shown(await repository.encounters(of: id)),
                let promised = shown(await repository.followUps()), let referrals = shown(await repository.selfReferrals()),
                let grants = shown(await repository.grants(of: id)), let resources = shown(await repository.find())
            else { return }
            promise.alias = file.alias
            change {
                $0.file = file
                $0.encounters = encounters
                $0.promised = promised.filter { $0.participant == id && $0.state == .open }
                $0.referrals = referrals.filter { $0.participant == id }
                $0.grants = grants.filter { $0.status == .live && !$0.live.isEmpty }
                $0.resources = resources
            }
        }
    }

    public func encounter() { app.go(.newEncounter(participant: id)) }
    public func edit() { app.go(.edit(id)) }
    public func ask() { app.go(.ask(participant: id, category: nil, words: "")) }
    public func hold() { app.go(.hold(id)) }

    public func promise(inDays days: Int) {
        act { [self] in
            guard let what = promise.said else { return }
            if shown(await repository.saveFollowUp(id, what, inDays: days)) == nil { await promise.look() } else { promise.clear() }
            load()
        }
    }

    public func chooseReferral(_ on: Bool) { change { $0.isChoosing = on } }

    /// They ask to be connected.
    public func refer(to resource: Resource) {
        act { [self] in
            change { $0.isChoosing = false }
            let draft = SelfReferralDraft(participant: id, startedBy: .participantWithWorker, to: resource.id, status: .asked)
            _ = shown(await repository.saveSelfReferral(draft))
            load()
        }
    }

    public func referral(_ line: SelfReferralLine, _ status: ReferralStatus) {
        act { [self] in
            _ = shown(await repository.setReferral(line.id, status))
            load()
        }
    }

    /// What two phones wrote into one field: the value shown and the others.
    public func values(of conflict: ParticipantConflict) -> [String] {
        guard let file = state.file else { return [] }
        let shown =
            switch conflict.field {
            case "alias": file.alias
            case "pronouns": file.pronouns
            case "language": file.language
            case "contact": file.contact
            case "recognition_word": file.recognitionWord
            default: String?.none
            }
        return (shown.map { [$0] } ?? []) + conflict.others
    }

    /// Takes one of the values that two phones wrote at the same time.
    public func pick(_ conflict: ParticipantConflict, _ value: String) {
        act { [self] in
            var edit = ParticipantEdit()
            switch conflict.field {
            case "alias": edit.alias = value
            case "pronouns": edit.pronouns = value
            case "language": edit.language = value
            case "contact": edit.contact = value
            case "recognition_word": edit.recognitionWord = value
            default: return
            }
            _ = shown(await repository.editParticipant(id, edit))
            load()
        }
    }

    public func withdraw(_ asked: Bool) { change { $0.isWithdrawing = asked } }

    /// They take everything back: file, facts and shares.
    public func withdrawAll() {
        act { [self] in
            if shown(await repository.withdraw(id)) != nil { app.goBack() }
        }
    }

    /// They take one yes back: what was written under it goes too.
    public func withdraw(_ line: GrantLine) {
        act { [self] in
            guard let grant = line.grant else { return }
            for category in grant.categories {
                let takenBack = TakenBack(act: grant.act, category: category, recipient: grant.recipient, how: .spoken)
                guard shown(await repository.withdraw(id, takenBack)) != nil else { break }
            }
            load()
        }
    }

    public func close(_ closed: Bool) {
        act { [self] in
            _ = shown(await repository.editParticipant(id, ParticipantEdit(closed: closed)))
            load()
        }
    }
}
