/**
 * Load scenarios: what a machine does with many guests, in numbers. One class each, registered as a service of {@link
 * gunyah.scenario.Scenario}. In the tests, real guests driven as a user would; tag {@code boot} needs the files of
 * {@code gunyah fetch debian --kernel all}.
 */
package gunyah.scenario;
