package org.satchel.core

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Finding a resource, offline. */
class CatalogueTest : Phones() {
    private fun resource(name: String, category: ResourceCategory, demands: List<Demand> = emptyList(), openings: List<Opening> = emptyList()) =
        Resource(
            ownResourceId(name), category, name, "Harbor", "Ask at the blue door.", null, null, demands, emptyList(), emptyList(), null,
            emptyList(), listOf("es"), "Mondays", openings, true, null, null,
        )

    @Test
    fun `what a team lists is found by what somebody asks for`() {
        val ana = found("ana")
        assertTrue(ana.findResources(ResourceFilter()).isEmpty())
        val late = Opening(Weekday.MONDAY, 1_320u, 1_560u)
        val list = listOf(
            resource("Oak Beds", ResourceCategory.HOUSING, listOf(Demand.ID)),
            resource("Café Río", ResourceCategory.FOOD, openings = listOf(late)),
        )
        assertEquals(2u, ana.publishCatalogue(buildCatalogue("Harbor's list", list)))
        fun names(filter: ResourceFilter) = ana.findResources(filter).map { it.name }
        assertEquals(listOf("Café Río"), names(ResourceFilter(text = "cafe RIO")))
        assertEquals(listOf("Café Río"), names(ResourceFilter(withoutDemands = listOf(Demand.ID))))
        assertEquals(listOf("Café Río"), names(ResourceFilter(weekday = Weekday.TUESDAY, minute = 60u)))
        assertTrue(names(ResourceFilter(weekday = Weekday.TUESDAY, minute = 120u)).isEmpty())
        assertEquals(list.single { it.category == ResourceCategory.HOUSING }, ana.findResources(ResourceFilter(text = "oak")).single())
        assertThrows(FfiException.InvalidInput::class.java) { ana.publishCatalogue(ByteArray(40)) }
        assertThrows(FfiException.InvalidInput::class.java) { buildCatalogue("List", list + list) }
    }
}
