/** The seed users of every installation, one for each role. They share one password. */
export const SEED_USERS = [
  { email: 'admin@learnwithroko.com', fullName: 'Ada Admin', role: 'SUPER_ADMIN' },
  { email: 'instructor@learnwithroko.com', fullName: 'John Instructor', role: 'INSTRUCTOR' },
  { email: 'learner@learnwithroko.com', fullName: 'Jane Learner', role: 'LEARNER' },
];

// In the page's memory only, so a reload deletes it. It is never written to the browser's storage.
let password = '';

export function rememberedPassword() {
  return password;
}

/** Remembers the password of the seed users after a login, and forgets it after a failed one. Ignores other users. */
export function learnPassword(email, typed, opens) {
  if (!SEED_USERS.some((user) => user.email === email.trim().toLowerCase())) return;
  if (opens) password = typed;
  else if (password === typed) password = '';
}
