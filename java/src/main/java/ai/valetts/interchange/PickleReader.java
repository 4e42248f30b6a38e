package ai.valetts.interchange;

import ai.valetts.checkpoint.CheckpointException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads the pickle inside a PyTorch file, protocols 2 to 5, without running anything. It knows tensors, containers,
 * numbers and text. Every other class or function that the file names is refused by its name the moment it appears.
 *
 * <p>Python's values become {@link Map} (insertion order; keys that are no text, number or truth value compare by
 * identity), {@link List} (lists, tuples and sets alike), {@link Long}, {@link BigInteger}, {@link Double},
 * {@link Boolean}, {@link String}, {@code byte[]}, null, {@link StoredTensor} and {@link Inert}.
 */
final class PickleReader {
  /** Bounds what a small file can make of the memory; PyTorch needs about 50 operations for each tensor. */
  private static final int MAX_OPERATIONS = 4_000_000;

  private static final int MAX_OBJECTS = 1_000_000;
  private static final int MAX_NUMBER_BYTES = 1024;
  private static final int MAX_PROTOCOL = 5;

  /** Paths in the settings that Lightning saves. They stay names: nothing is looked up on the disk. */
  private static final Set<String> INERT =
      Set.of(
          "pathlib.PosixPath",
          "pathlib.WindowsPath",
          "pathlib.PurePosixPath",
          "pathlib.PureWindowsPath",
          "pathlib.Path",
          "pathlib._local.PosixPath",
          "pathlib._local.WindowsPath",
          "pathlib._local.PurePosixPath",
          "pathlib._local.PureWindowsPath",
          "pathlib._local.Path",
          "torch.device");

  private static final Set<String> CONTAINERS =
      Set.of(
          "collections.OrderedDict",
          "torch.Size",
          "builtins.dict",
          "builtins.list",
          "builtins.tuple",
          "builtins.set",
          "builtins.frozenset",
          "__builtin__.set",
          "__builtin__.frozenset");

  private static final String REBUILD_TENSOR = "torch._utils._rebuild_tensor_v2";
  private static final String REBUILD_PARAMETER = "torch._utils._rebuild_parameter";

  private static final Object MARK = new Object();

  /** A value of a class that is known to be harmless and of no use here. */
  record Inert(String type) {}

  /** Finds the bytes of a storage. */
  interface Storages {
    /**
     * @param key name of the storage in the file
     * @param count elements it must hold
     */
    TensorBytes of(TensorType type, String key, long count);
  }

  private record Name(String text) {}

  private record Storage(TensorType type, TensorBytes bytes) {}

  private final ByteBuffer in;
  private final String origin;
  private final Storages storages;
  private final List<Object> stack = new ArrayList<>();
  private final Map<Long, Object> memo = new HashMap<>();
  private int objects;

  private PickleReader(ByteBuffer in, String origin, Storages storages) {
    this.in = in.order(ByteOrder.LITTLE_ENDIAN);
    this.origin = origin;
    this.storages = storages;
  }

  /**
   * The one value that the pickle holds.
   *
   * @param origin what to call it in messages
   * @throws CheckpointException if it names anything else than tensors and plain values, or is damaged
   */
  static Object read(ByteBuffer pickle, String origin, Storages storages) {
    return new PickleReader(pickle.slice(), origin, storages).read();
  }

  private Object read() {
    if (in.remaining() < 2 || in.get(0) != (byte) 0x80) {
      throw damaged("it does not begin as a pickle of protocol 2 or later does");
    }
    for (int i = 0; i < MAX_OPERATIONS; i++) {
      int code = unsignedByte();
      if (code == '.') {
        Object value = pop();
        if (!stack.isEmpty() || value == MARK) {
          throw damaged("values are left over at its end");
        }
        return value;
      }
      step(code);
    }
    throw damaged("it takes more than " + MAX_OPERATIONS + " operations");
  }

  private void step(int code) {
    switch (code) {
      case 0x80 -> protocol();
      case 0x95 -> bytesLeft(in8());
      case '(' -> push(MARK);
      case '0' -> pop();
      case '1' -> popToMark();
      case '2' -> push(top());
      case 'N' -> push(null);
      case 0x88 -> push(true);
      case 0x89 -> push(false);
      case 'J' -> push((long) in4());
      case 'K' -> push((long) unsignedByte());
      case 'M' -> push((long) unsignedShort());
      case 0x8a -> push(number(unsignedByte()));
      case 0x8b -> push(number(in4()));
      case 'G' -> push(bigEndianDouble());
      case 'U', 'C' -> pushRaw(code == 'C', unsignedByte());
      case 'T' -> pushRaw(false, in4());
      case 'B' -> pushRaw(true, unsignedInt());
      case 0x8e, 0x96 -> pushRaw(true, in8());
      case 0x8c -> push(text(unsignedByte()));
      case 'X' -> push(text(unsignedInt()));
      case 0x8d -> push(text(in8()));
      case ']', ')', 0x8f -> push(newList());
      case '}' -> push(newMap());
      case 'a' -> append(pop());
      case 'e', 0x90 -> appendAll(popToMark());
      case 'l', 't', 0x91 -> push(listOf(popToMark()));
      case 'd' -> push(mapOf(popToMark()));
      case 's' -> setItem();
      case 'u' -> setItems(popToMark());
      case 0x85 -> tuple(1);
      case 0x86 -> tuple(2);
      case 0x87 -> tuple(3);
      case 'h' -> recall(unsignedByte());
      case 'j' -> recall(unsignedInt());
      case 'q' -> remember(unsignedByte());
      case 'r' -> remember(unsignedInt());
      case 0x94 -> remember(memo.size());
      case 'c' -> push(named(line(), line()));
      case 0x93 -> namedFromStack();
      case 'R', 0x81 -> reduce();
      case 0x92 -> reduceWithKeywords();
      case 'b' -> build();
      case 'Q' -> push(storage(pop()));
      default -> throw damaged("it holds the operation 0x" + Integer.toHexString(code)
          + ", which PyTorch does not write");
    }
  }

  private void protocol() {
    int version = unsignedByte();
    if (version < 2 || version > MAX_PROTOCOL) {
      throw damaged("its pickle protocol is " + version + "; 2 to " + MAX_PROTOCOL + " can be read");
    }
  }

  private Object number(int bytes) {
    if (bytes < 0 || bytes > MAX_NUMBER_BYTES) {
      throw damaged("it holds a number of " + Integer.toUnsignedString(bytes) + " bytes");
    }
    byte[] little = take(bytes);
    if (bytes == 0) {
      return 0L;
    }
    for (int i = 0; i < bytes / 2; i++) {
      byte swapped = little[i];
      little[i] = little[bytes - 1 - i];
      little[bytes - 1 - i] = swapped;
    }
    BigInteger value = new BigInteger(little);
    return value.bitLength() < 64 ? (Object) value.longValue() : value;
  }

  private double bigEndianDouble() {
    return Double.longBitsToDouble(Long.reverseBytes(in8()));
  }

  private void pushRaw(boolean asBytes, long length) {
    byte[] raw = take(length);
    push(asBytes ? raw : new String(raw, StandardCharsets.ISO_8859_1));
  }

  private String text(long length) {
    byte[] utf8 = take(length);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString();
    } catch (CharacterCodingException e) {
      throw damaged("it holds text that is not UTF-8");
    }
  }

  private String line() {
    int start = in.position();
    while (unsignedByte() != '\n') {
      // The length of a name is bounded by the file's.
    }
    byte[] name = new byte[in.position() - 1 - start];
    in.get(start, name);
    return new String(name, StandardCharsets.UTF_8);
  }

  private void append(Object value) {
    listAt(top()).add(value);
  }

  private void appendAll(List<Object> values) {
    listAt(top()).addAll(values);
  }

  private void setItem() {
    Object value = pop();
    Object key = pop();
    mapAt(top()).put(key(key), value);
  }

  private void setItems(List<Object> values) {
    putAll(mapAt(top()), values);
  }

  private void putAll(Map<Object, Object> map, List<Object> values) {
    if (values.size() % 2 != 0) {
      throw damaged("a dictionary has a key without a value");
    }
    for (int i = 0; i < values.size(); i += 2) {
      map.put(key(values.get(i)), values.get(i + 1));
    }
  }

  /** Containers may hold themselves, so that only plain values may be compared by what they hold. */
  private static Object key(Object key) {
    boolean plain = key == null || key instanceof String || key instanceof Number || key instanceof Boolean;
    return plain ? key : new Object();
  }

  private void tuple(int size) {
    List<Object> values = newList();
    for (int i = 0; i < size; i++) {
      values.add(pop());
    }
    Collections.reverse(values);
    push(values);
  }

  private void recall(long index) {
    if (!memo.containsKey(index)) {
      throw damaged("it refers to a value that is not there");
    }
    push(memo.get(index));
  }

  private void remember(long index) {
    if (memo.size() >= MAX_OBJECTS) {
      throw damaged("it remembers more than " + MAX_OBJECTS + " values");
    }
    memo.put(index, top());
  }

  private void namedFromStack() {
    Object name = pop();
    Object module = pop();
    if (!(name instanceof String nameText) || !(module instanceof String moduleText)) {
      throw damaged("a class has no name");
    }
    push(named(moduleText, nameText));
  }

  private Name named(String module, String name) {
    String whole = module + "." + name;
    boolean known = INERT.contains(whole)
        || CONTAINERS.contains(whole)
        || whole.equals(REBUILD_TENSOR)
        || whole.equals(REBUILD_PARAMETER)
        || module.equals("torch") && TensorType.ofTorchStorage(name).isPresent();
    if (!known) {
      throw new CheckpointException(origin + " asks for " + printable(whole) + ", which is neither a tensor nor a plain"
          + " value. It was not run, and the file is refused: only load such a file with the program that made it, and"
          + " only if you trust where it comes from.");
    }
    return new Name(whole);
  }

  private static String printable(String name) {
    String clean = name.replaceAll("[^\\x20-\\x7e]", "?");
    return clean.length() > 120 ? clean.substring(0, 120) + "..." : clean;
  }

  private void reduceWithKeywords() {
    if (!(pop() instanceof Map<?, ?> keywords) || !keywords.isEmpty()) {
      throw damaged("a value is made with named arguments");
    }
    reduce();
  }

  private void reduce() {
    List<Object> arguments = listAt(pop());
    if (!(pop() instanceof Name name)) {
      throw damaged("something is called that is no class");
    }
    push(made(name.text, arguments));
  }

  private Object made(String name, List<Object> arguments) {
    if (name.equals(REBUILD_TENSOR)) {
      return tensor(arguments);
    }
    if (name.equals(REBUILD_PARAMETER)) {
      return argument(arguments, 0, StoredTensor.class, "a parameter without a tensor");
    }
    if (INERT.contains(name)) {
      return new Inert(name);
    }
    if (CONTAINERS.contains(name)) {
      return container(name, arguments);
    }
    throw damaged(name + " is called");
  }

  private Object container(String name, List<Object> arguments) {
    if (!name.endsWith("Dict") && !name.endsWith(".dict")) {
      return arguments.isEmpty() ? newList() : listOf(listAt(arguments.get(0)));
    }
    Map<Object, Object> map = newMap();
    if (!arguments.isEmpty()) {
      for (Object pair : listAt(arguments.get(0))) {
        putAll(map, listAt(pair));
      }
    }
    return map;
  }

  private StoredTensor tensor(List<Object> arguments) {
    Storage storage = argument(arguments, 0, Storage.class, "a tensor without a storage");
    long offset = argument(arguments, 1, Long.class, "a tensor without an offset");
    long[] shape = longs(arguments, 2);
    long[] strides = longs(arguments, 3);
    return StoredTensor.strided(storage.type, shape, strides, offset, storage.bytes);
  }

  private long[] longs(List<Object> arguments, int place) {
    List<?> values = argument(arguments, place, List.class, "a tensor without a shape");
    long[] numbers = new long[values.size()];
    for (int i = 0; i < numbers.length; i++) {
      if (!(values.get(i) instanceof Long number)) {
        throw damaged("a tensor's shape holds something that is no number");
      }
      numbers[i] = number;
    }
    return numbers;
  }

  private Storage storage(Object identifier) {
    List<Object> parts = listAt(identifier);
    if (parts.size() < 5 || !"storage".equals(parts.get(0))) {
      throw damaged("it refers to something outside that is no storage");
    }
    Name type = argument(parts, 1, Name.class, "a storage without a type");
    String key = argument(parts, 2, String.class, "a storage without a name");
    long count = argument(parts, 4, Long.class, "a storage without a size");
    TensorType elements =
        TensorType.ofTorchStorage(type.text.replaceFirst("^torch\\.", ""))
            .orElseThrow(() -> damaged(type.text + " is no storage"));
    return new Storage(elements, storages.of(elements, key, count));
  }

  /** What an object's own attributes would be set from; here nothing has attributes that matter. */
  private void build() {
    pop();
    Object target = top();
    if (!(target instanceof Map || target instanceof List || target instanceof Inert || target instanceof StoredTensor)) {
      throw damaged("attributes are set on something that has none");
    }
  }

  private <T> T argument(List<?> arguments, int place, Class<T> type, String problem) {
    Object value = place < arguments.size() ? arguments.get(place) : null;
    if (!type.isInstance(value)) {
      throw damaged("it holds " + problem);
    }
    return type.cast(value);
  }

  @SuppressWarnings("unchecked")
  private List<Object> listAt(Object value) {
    if (!(value instanceof List)) {
      throw damaged("a list is missing where one is needed");
    }
    return (List<Object>) value;
  }

  @SuppressWarnings("unchecked")
  private Map<Object, Object> mapAt(Object value) {
    if (!(value instanceof Map)) {
      throw damaged("a dictionary is missing where one is needed");
    }
    return (Map<Object, Object>) value;
  }

  private List<Object> newList() {
    countObject();
    return new ArrayList<>(0);
  }

  private List<Object> listOf(List<Object> values) {
    countObject();
    return new ArrayList<>(values);
  }

  private Map<Object, Object> newMap() {
    countObject();
    return new LinkedHashMap<>();
  }

  private Map<Object, Object> mapOf(List<Object> values) {
    Map<Object, Object> map = newMap();
    putAll(map, values);
    return map;
  }

  private void countObject() {
    if (++objects > MAX_OBJECTS) {
      throw damaged("it holds more than " + MAX_OBJECTS + " containers");
    }
  }

  private void push(Object value) {
    if (stack.size() >= MAX_OBJECTS) {
      throw damaged("it nests more than " + MAX_OBJECTS + " values");
    }
    stack.add(value);
  }

  private Object top() {
    Object value = stack.isEmpty() ? MARK : stack.get(stack.size() - 1);
    if (value == MARK) {
      throw damaged("a value is missing where one is needed");
    }
    return value;
  }

  private Object pop() {
    if (stack.isEmpty()) {
      throw damaged("a value is missing where one is needed");
    }
    return stack.remove(stack.size() - 1);
  }

  private List<Object> popToMark() {
    int mark = stack.lastIndexOf(MARK);
    if (mark < 0) {
      throw damaged("a list has no beginning");
    }
    List<Object> tail = stack.subList(mark + 1, stack.size());
    List<Object> values = new ArrayList<>(tail);
    stack.subList(mark, stack.size()).clear();
    return values;
  }

  private int unsignedByte() {
    bytesLeft(1);
    return Byte.toUnsignedInt(in.get());
  }

  private int unsignedShort() {
    bytesLeft(2);
    return Short.toUnsignedInt(in.getShort());
  }

  private int in4() {
    bytesLeft(4);
    return in.getInt();
  }

  private long unsignedInt() {
    return Integer.toUnsignedLong(in4());
  }

  private long in8() {
    bytesLeft(8);
    return in.getLong();
  }

  private byte[] take(long length) {
    bytesLeft(length);
    byte[] bytes = new byte[(int) length];
    in.get(bytes);
    return bytes;
  }

  private void bytesLeft(long length) {
    if (length < 0 || length > in.remaining()) {
      throw damaged("it promises " + Long.toUnsignedString(length) + " bytes where " + in.remaining() + " are left");
    }
  }

  private CheckpointException damaged(String what) {
    return new CheckpointException(origin + " is damaged or no PyTorch file: " + what + ".");
  }
}
