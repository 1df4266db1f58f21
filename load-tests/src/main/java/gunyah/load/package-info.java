/**
 * {@code gunyah load}: the machines and guests that scenarios need, and the command. In the tests, rules about the whole
 * program. Entry type {@link gunyah.load.LoadCommands}.
 */
package gunyah.load;
