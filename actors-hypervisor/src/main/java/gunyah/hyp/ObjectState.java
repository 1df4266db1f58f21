package gunyah.hyp;

/**
 * The state of one kernel object at one moment. Equal for equal states of the same object.
 *
 * @param type       its type
 * @param id         its id, unique in the hypervisor
 * @param state      where it is in its life
 * @param references capabilities and internal references
 * @param text       everything else, see {@link StateText}
 */
public record ObjectState(ObjectType type, int id, KernelObject.State state, int references, String text) {
    @Override
    public String toString() {
        return "%s#%d %s references %d\n%s".formatted(type, id, state, references, text.indent(2));
    }
}
