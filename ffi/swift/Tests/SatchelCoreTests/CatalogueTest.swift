import Foundation
import XCTest

import SatchelCore

/// Finding a resource, offline.
final class CatalogueTest: Phones {
    private func resource(_ name: String, _ category: ResourceCategory, demands: [Demand] = [], openings: [Opening] = []) -> Resource {
        Resource(
            id: ownResourceId(name: name), category: category, name: name, provider: "Harbor", description: "Ask at the blue door.",
            cost: nil, eligibility: nil, demands: demands, doesNotDemand: [], sharesDataWith: [], faithOrRescue: nil, excludes: [],
            languages: ["es"], hours: "Mondays", openings: openings, areOpeningsComplete: true, phone: nil, address: nil)
    }

    func testWhatATeamListsIsFoundByWhatSomebodyAsksFor() throws {
        let ana = try found("ana")
        let ben = try join(ana, "ben")
        XCTAssertTrue(try ana.findResources(filter: ResourceFilter()).isEmpty)
        let late = Opening(weekday: .monday, opens: 1_320, closes: 1_560)
        let list = [resource("Oak Beds", .housing, demands: [.id]), resource("Café Río", .food, openings: [late])]
        XCTAssertEqual(try ana.publishCatalogue(package: buildCatalogue(title: "Harbor's list", resources: list)), 2)
        try meet(ana.dial(), ben.listen())
        func names(_ filter: ResourceFilter) throws -> [String] { try ben.findResources(filter: filter).map(\.name) }
        XCTAssertEqual(try names(ResourceFilter(text: "cafe RIO")), ["Café Río"])
        XCTAssertEqual(try names(ResourceFilter(withoutDemands: [.id])), ["Café Río"])
        XCTAssertEqual(try names(ResourceFilter(weekday: .tuesday, minute: 60)), ["Café Río"])
        XCTAssertTrue(try names(ResourceFilter(weekday: .tuesday, minute: 120)).isEmpty)
        XCTAssertEqual(try ben.findResources(filter: ResourceFilter(text: "oak")), [list[0]])
        guard case .InvalidInput? = failure(try ana.publishCatalogue(package: Data(count: 40))) else { return XCTFail() }
        guard case .InvalidInput? = failure(try buildCatalogue(title: "List", resources: list + list)) else { return XCTFail() }
    }
}
