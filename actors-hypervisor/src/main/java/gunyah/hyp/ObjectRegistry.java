package gunyah.hyp;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;

/** All objects of one hypervisor from their making to their destruction, by id. Thread safe. */
public final class ObjectRegistry {
    private final ConcurrentHashMap<Integer, KernelObject> objects = new ConcurrentHashMap<>();
    private volatile BiConsumer<KernelObject, String> brokenListener = (object, reason) -> { };

    /** Adds a new object, which leaves by itself. {@return the object} */
    public <T extends KernelObject> T add(T object) {
        objects.put(object.id(), object);
        object.registeredIn(this);
        return object;
    }

    void remove(KernelObject object) {
        objects.remove(object.id(), object);
    }

    /** Names who is told of an object that broke, and why; in an actor's turn, so it only hands on. */
    public void onBroken(BiConsumer<KernelObject, String> listener) {
        brokenListener = listener;
    }

    void broke(KernelObject object, String reason) {
        brokenListener.accept(object, reason);
    }

    /** {@return the objects there are, oldest first} */
    public List<KernelObject> all() {
        List<KernelObject> all = new ArrayList<>(objects.values());
        all.sort(Comparator.comparingInt(KernelObject::id));
        return all;
    }
}
