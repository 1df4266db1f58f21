package gunyah.hyp;

import gunyah.memory.FrameOwners;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The object model of a machine at one moment: every kernel object with its state, configuration, capabilities, queue
 * contents and mappings, and the owner of every frame. Two of them are equal when no client could tell the moments
 * apart; a hypercall that fails must leave an equal one. Contents of memory and the scheduler's queues are not in it.
 * Immutable.
 *
 * @param objects by id
 * @param frames  runs of frames with one owner, by address
 */
public record MachineState(List<ObjectState> objects, List<FrameOwners.Run> frames) {
    public MachineState {
        objects = List.copyOf(objects);
        frames = List.copyOf(frames);
    }

    /**
     * Describes a machine. Exact when nothing changes meanwhile; otherwise each object is described at some moment of
     * its own. Not in the turn of an object's actor: objects ask their actors.
     */
    public static MachineState of(ObjectRegistry registry, FrameOwners owners) {
        List<ObjectState> objects = new ArrayList<>();
        for (KernelObject object : registry.all()) {
            objects.add(object.describeState());
        }
        return new MachineState(objects, owners.runs());
    }

    /** {@return a hash of all of it (SHA-256, 64 digits): equal for equal states} */
    public String digest() {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            objects.forEach(object -> sha.update(object.toString().getBytes(StandardCharsets.UTF_8)));
            frames.forEach(run -> sha.update(run.toString().getBytes(StandardCharsets.UTF_8)));
            return HexFormat.of().formatHex(sha.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** {@return what is different in {@code later}, one line each, lines of here with -, of there with +} */
    public List<String> difference(MachineState later) {
        List<String> lines = new ArrayList<>();
        Map<Integer, ObjectState[]> pairs = new TreeMap<>();
        objects.forEach(object -> pairs.computeIfAbsent(object.id(), id -> new ObjectState[2])[0] = object);
        later.objects.forEach(object -> pairs.computeIfAbsent(object.id(), id -> new ObjectState[2])[1] = object);
        for (ObjectState[] pair : pairs.values()) {
            if (pair[0] != null && pair[0].equals(pair[1])) {
                continue;
            }
            ObjectState named = pair[0] == null ? pair[1] : pair[0];
            List<String> before = pair[0] == null ? List.of() : pair[0].toString().lines().toList();
            List<String> after = pair[1] == null ? List.of() : pair[1].toString().lines().toList();
            compare("%s#%d: ".formatted(named.type(), named.id()), before, after, lines);
        }
        compare("frames: ", frames.stream().map(FrameOwners.Run::toString).toList(),
                later.frames.stream().map(FrameOwners.Run::toString).toList(), lines);
        return lines;
    }

    private static void compare(String prefix, List<String> before, List<String> after, List<String> lines) {
        List<String> gone = new ArrayList<>(before);
        after.forEach(gone::remove);
        List<String> come = new ArrayList<>(after);
        before.forEach(come::remove);
        gone.forEach(line -> lines.add("- " + prefix + line.strip()));
        come.forEach(line -> lines.add("+ " + prefix + line.strip()));
    }
}
