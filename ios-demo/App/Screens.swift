import OutreachKit
import SwiftUI

/// Draws the place that the app is at. Each page is a function of its model, in a file of its own; all of them are drawn anew
/// whenever the app says that something changed, so none can show what is over.
struct Screens: View {
    @ObservedObject var shown: Shown

    var app: Outreach { shown.app }
    var words: Words { shown.words }

    var body: some View {
        // a field and its cursor belong to one page
        here.id(ObjectIdentifier(app.screen))
    }

    @ViewBuilder private var here: some View {
        switch app.screen {
        case let model as WelcomeModel: welcome(model)
        case let model as CreateModel: create(model)
        case let model as JoinModel: join(model)
        case let model as UnlockModel: unlock(model)
        case let model as TodayModel: today(model)
        case let model as EncounterModel: encounter(model)
        case let model as FindModel: find(model)
        case let model as FollowUpsModel: followUps(model)
        default: more
        }
    }

    // in two parts: the compiler takes long over one
    @ViewBuilder private var more: some View {
        switch app.screen {
        case let model as PeopleModel: people(model)
        case let model as NewPersonModel: newPerson(model)
        case let model as PersonModel: person(model)
        case let model as EditModel: edit(model)
        case let model as AskModel: ask(model)
        case let model as HoldModel: hold(model)
        default: last
        }
    }

    @ViewBuilder private var last: some View {
        switch app.screen {
        case let model as TeamModel: team(model)
        case let model as RemoveModel: remove(model)
        case let model as InviteModel: invite(model)
        case let model as SyncModel: sync(model)
        case let model as SettingsModel: settings(model)
        case let model as EraseModel: erase(model)
        case let model as ComplainModel: complain(model)
        case let model as InboxModel: inbox(model)
        default: EmptyView()
        }
    }
}
