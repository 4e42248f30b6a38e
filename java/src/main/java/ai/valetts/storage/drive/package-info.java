/**
 * Google Drive through its web interface (REST v3) and Google's client, as an authorised user with the scope {@code
 * drive.file}: it sees only what it made itself. No message, exception or log of this package holds a secret.
 */
package ai.valetts.storage.drive;
