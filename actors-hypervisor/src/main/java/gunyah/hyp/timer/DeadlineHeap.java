package gunyah.hyp.timer;

import java.util.Arrays;

/** Binary heap of alarms by deadline; an alarm knows its position, so moving one costs a logarithm. Not thread safe. */
final class DeadlineHeap {
    private Alarm[] heap = new Alarm[64];
    private int size;

    /** {@return the alarm with the earliest deadline, or null} */
    Alarm first() {
        return size == 0 ? null : heap[0];
    }

    void set(Alarm alarm, long deadlineNs) {
        alarm.deadlineNs = deadlineNs;
        if (alarm.position < 0) {
            if (size == heap.length) {
                heap = Arrays.copyOf(heap, size * 2);
            }
            place(alarm, size++);
        }
        siftUp(alarm);
        siftDown(alarm);
    }

    void remove(Alarm alarm) {
        int hole = alarm.position;
        if (hole < 0) {
            return;
        }
        alarm.position = -1;
        alarm.deadlineNs = Alarm.NEVER;
        Alarm last = heap[--size];
        heap[size] = null;
        if (last != alarm) {
            place(last, hole);
            siftUp(last);
            siftDown(last);
        }
    }

    private void siftUp(Alarm alarm) {
        while (alarm.position > 0) {
            Alarm parent = heap[(alarm.position - 1) / 2];
            if (parent.deadlineNs <= alarm.deadlineNs) {
                return;
            }
            swap(alarm, parent);
        }
    }

    private void siftDown(Alarm alarm) {
        while (true) {
            int child = 2 * alarm.position + 1;
            if (child >= size) {
                return;
            }
            if (child + 1 < size && heap[child + 1].deadlineNs < heap[child].deadlineNs) {
                child++;
            }
            if (alarm.deadlineNs <= heap[child].deadlineNs) {
                return;
            }
            swap(alarm, heap[child]);
        }
    }

    private void swap(Alarm a, Alarm b) {
        int position = a.position;
        place(a, b.position);
        place(b, position);
    }

    private void place(Alarm alarm, int position) {
        heap[position] = alarm;
        alarm.position = position;
    }
}
